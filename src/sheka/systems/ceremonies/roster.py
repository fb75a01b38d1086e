"""Who may take part in a ceremony: distinct people, none of whom had a hand in its approval (K6)."""

from __future__ import annotations

from collections.abc import Mapping

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.seats import colleagues_with, pseudonym
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import actor_of, person_of
from sheka.systems.ceremonies.scripts import CUSTODIAN, LEADER, WITNESS, Script, custodian

RIGHTS = {
    LEADER: Permission.CEREMONY_LEAD,
    CUSTODIAN: Permission.CEREMONY_HOLD,
    WITNESS: Permission.CEREMONY_WITNESS,
}
"""What each part of a ceremony needs."""
_PARTS = {
    LEADER: Term("主持人", "leader"),
    CUSTODIAN: Term("分量持有人", "custodian"),
    WITNESS: Term("见证人", "witness"),
}


def part_title(key: str) -> Term:
    """What a seat is called.

    >>> part_title("custodian-2").en
    'custodian 2'
    """
    part, _, place = key.partition("-")
    word = _PARTS[part]
    return Term(f"{word.zh}{place}", f"{word.en} {place}") if place else word


def right_of(key: str) -> Permission:
    """The permission that a seat needs."""
    return RIGHTS[key.partition("-")[0]]


def candidates(organisation: str, part: str) -> list[StaffMember]:
    """Who of the organisation could take a part today."""
    return colleagues_with(organisation, RIGHTS[part])


def seats_of(leader: int, custodians: list[int], witness: int) -> dict[str, int]:
    """Seat → account, in the order of the roster."""
    return {
        LEADER: leader,
        **{custodian(place): staff for place, staff in enumerate(custodians, 1)},
        WITNESS: witness,
    }


def checked(
    actor: Actor, script: Script, seats: Mapping[str, int], number: str, proposal: Proposal | None
) -> list[tuple[str, StaffMember, str]]:
    """The roster as seat, account, pseudonym of the person.

    Raises Refused: CEREMONY_CUSTODIANS, CEREMONY_RIGHT, CEREMONY_PERSON_TWICE, CEREMONY_DECIDED.
    """
    count, (fewest, most) = len(seats) - 2, script.custodians
    if not fewest <= count <= most:
        raise Refused(Code.CEREMONY_CUSTODIANS, fewest=fewest, most=most, got=count)
    found: list[tuple[str, StaffMember, str]] = []
    people: set[str] = set()
    for key, staff_id in seats.items():
        staff = must_fit(actor.organisation, key, staff_id)
        person = person_of(staff.pk)
        if person in people:
            raise Refused(Code.CEREMONY_PERSON_TWICE, name=staff.name)
        people.add(person)
        if proposal is not None:
            must_be_apart(staff, proposal)
        found.append((key, staff, digest({"person": person, "ceremony": number})))
    return found


def must_fit(organisation: str, key: str, staff_id: int) -> StaffMember:
    """The account, when it serves here today with the right that its seat needs. Raises Refused(CEREMONY_RIGHT)."""
    staff = StaffMember.objects.select_related("organisation").filter(pk=staff_id).first()
    name, part = (staff.name if staff else str(staff_id)), part_title(key)
    if staff is None or not staff.is_active or staff.organisation_id != organisation:
        raise Refused(Code.CEREMONY_RIGHT, name=name, part=part)
    if not actor_of(staff).may(right_of(key)):
        raise Refused(Code.CEREMONY_RIGHT, name=name, part=part)
    return staff


def must_be_apart(staff: StaffMember, proposal: Proposal) -> None:
    """Whoever wrote or decided a request, in the own or a lent right, does not carry it out.

    Raises Refused(CEREMONY_DECIDED).
    """
    person = pseudonym(proposal.number, staff.pk)
    wrote = any(version.person == person for version in proposal.versions.all())
    if wrote or any(person in (row.person, row.lender_person) for row in proposal.decisions.all()):
        raise Refused(Code.CEREMONY_DECIDED, name=staff.name)
