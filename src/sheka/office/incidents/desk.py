"""Whose incident it is, who is above, and which people are told (K9)."""

from __future__ import annotations

from collections.abc import Iterable

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.incidents.models import Incident
from sheka.office.incidents.plans import kind_named
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import BUREAUS, bureau_of, organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import holders_of, person_of
from sheka.office.work.notices import notify
from sheka.office.work.queries import able

REPORTED, MOVED, UNREAD, LATE = "incident.reported", "incident.moved", "incident.unread", "incident.late"
"""Kinds of notices."""


def desk_of(code: str) -> Organisation:
    """The bureau that handles what happens in an organisation: itself, or the nearest bureau above it."""
    return bureau_of(organisation(code))


def superiors_of(place: Organisation) -> list[Organisation]:
    """The superior department and everything above it, the ministry last: all are told at once (K9)."""
    found, above = [], place.superior
    while above is not None:
        if above.kind in BUREAUS:
            found.append(above)
        above = above.superior
    return found


def keeper(incident: Incident) -> Actor:
    """The process that freezes, follows up and watches the clock for an incident, in the organisation of this copy."""
    return Actor.process(f"incident:{incident.number}", incident.organisation_id)


def person_in(incident: Incident, actor: Actor) -> str:
    """The pseudonym of who acts; empty for a process or a client, which no rule about persons can name."""
    return incident.person(person_of(actor.staff_id)) if actor.staff_id is not None else ""


def must_be_person(actor: Actor) -> int:
    """Raises Refused(INCIDENT_NEEDS_PERSON): a person answers for it."""
    if actor.staff_id is None:
        raise Refused(Code.INCIDENT_NEEDS_PERSON)
    return actor.staff_id


def handlers_at(code: str) -> list[StaffMember]:
    """Who handles incidents in an organisation today."""
    return able(Permission.INCIDENT_HANDLE, code)


def next_at(code: str) -> list[StaffMember]:
    """The next role when those have not read it: who closes incidents, and who supervises work."""
    found = {one.pk: one for right in (Permission.INCIDENT_CLOSE, Permission.WORK_ASSIGN) for one in able(right, code)}
    return list(found.values())


def with_roles(code: str, roles: Iterable[str]) -> list[StaffMember]:
    """The active people of an organisation who hold one of these roles today."""
    here = StaffMember.objects.filter(organisation_id=code, is_active=True)
    found = {one.pk: one for role in roles for one in here.filter(pk__in=holders_of(role))}
    return list(found.values())


def tell_people(incident: Incident, people: Iterable[StaffMember], kind: str, said: Term, *, but: Actor) -> int:
    """A notice about the incident to each of them but who acts; the number told."""
    title, number = kind_named(incident.kind).title, 0
    for person in {one.pk: one for one in people if one.pk != but.staff_id}.values():
        notify(
            person.pk,
            kind,
            incident.subject,
            zh=f"{title.zh}（{incident.number}）：{said.zh}",
            en=f"{title.en} ({incident.number}): {said.en}",
        )
        number += 1
    return number
