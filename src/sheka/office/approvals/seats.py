"""Who may decide a request, and if not, exactly why not: one list of questions for the verb and for the page (§2.5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.approvals.models import Decision, Delegation, Proposal
from sheka.office.approvals.routes import right_title
from sheka.office.approvals.states import RUNNING, STATE_WORDS
from sheka.office.organisations.models import Organisation
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission, incompatible_pairs, matrix
from sheka.office.staff.queries import actor_of, person_of, roles_of


@dataclass(frozen=True, slots=True)
class Seat:
    """A person's right to decide the step in turn, the own one or a lent one. `actor` holds the step's permission."""

    actor: Actor
    person: str
    lender: StaffMember | None = None
    lender_person: str = ""


def pseudonym(number: UUID, staff_id: int) -> str:
    """The person behind an account, the same for every account of one person, within one request only."""
    return digest({"person": person_of(staff_id), "request": number})


def seat_for(actor: Actor, proposal: Proposal, *, assigned: bool = True) -> Seat:
    """The seat that this person would take now. Raises Refused with the number that says why there is none.

    With `assigned=False` it is not asked whether the request is assigned to somebody else.
    """
    if actor.staff_id is None:
        raise Refused(Code.APPROVAL_NEEDS_PERSON)
    if proposal.organisation_id != actor.organisation:
        raise Refused(Code.APPROVAL_WRONG_ORGANISATION, organisation=place_term(proposal.organisation_id))
    person = pseudonym(proposal.number, actor.staff_id)
    _must_be_in_turn(proposal)
    _must_not_be_an_editor(actor.staff_id, person, proposal)
    lender = _lender(actor, proposal)
    lender_person = pseudonym(proposal.number, lender.pk) if lender else ""
    if lender:
        _lender_must_be_free(lender, lender_person, proposal)
    _must_not_have_decided(actor.staff_id, person, proposal)
    assignee = proposal.assignee
    if assigned and assignee is not None and assignee.pk not in {actor.staff_id, lender and lender.pk}:
        raise Refused(Code.APPROVAL_ASSIGNED, name=assignee.name)
    held = actor.permissions | {Permission(proposal.permission)}
    return Seat(replace(actor, permissions=held), person, lender, lender_person)


def actor_as_of_now(actor: Actor, permission: str) -> Actor:
    """The same person with the rights of this moment: a page may be older than a transfer or the end of a role.

    Raises Refused: APPROVAL_NEEDS_PERSON, STAFF_INACTIVE, APPROVAL_TRANSFERRED, APPROVAL_ROLE_ENDED.
    """
    if actor.staff_id is None:
        raise Refused(Code.APPROVAL_NEEDS_PERSON)
    with whole_node("the person may have been transferred out of the scope since the page was opened"):
        now = actor_of(StaffMember.objects.select_related("organisation").get(pk=actor.staff_id), actor.session)
    if now.organisation != actor.organisation:
        raise Refused(Code.APPROVAL_TRANSFERRED, name=now.name, organisation=place_term(now.organisation))
    if permission in actor.permissions and permission not in now.permissions:
        raise Refused(Code.APPROVAL_ROLE_ENDED, name=now.name, permission=right_title(permission))
    return now


def colleagues_with(organisation_code: str, permission: str) -> list[StaffMember]:
    """Who holds this permission in an organisation today, by a role of their own."""
    staff = StaffMember.objects.filter(organisation_id=organisation_code, is_active=True).select_related("organisation")
    return [one for one in staff if actor_of(one).may(Permission(permission))]


def may_pass_to(lender: StaffMember, delegate: StaffMember, permission: str) -> bool:
    """Whether one of the lender's roles that give this permission goes with every role of the delegate's person."""
    with whole_node("the accounts of one person may stand in any organisation"):
        accounts = list(StaffMember.objects.filter(person_id=delegate.person_id))
        held = {role for account in accounts for role in roles_of(account)}
    giving = [role for role in roles_of(lender) if permission in matrix().get(role, ())]
    return any(all(frozenset((role, other)) not in incompatible_pairs() for other in held) for role in giving)


def lent_to(staff_id: int, permission: str | None = None) -> list[Delegation]:
    """What counts today of what was lent to somebody, for one permission or for all."""
    today = timezone.localdate()
    found = Delegation.objects.filter(delegate_id=staff_id, valid_from__lte=today, valid_to__gt=today, ended_at=None)
    if permission is not None:
        found = found.filter(permission=permission)
    with whole_node("a lender may have been transferred out of the scope: what was lent lapses then, and says so"):
        return list(found.select_related("lender__organisation", "delegate"))


def place_term(code: str) -> Term:
    """An organisation's name for a sentence in either language; its code where this node does not know it."""
    row = Organisation.objects.filter(code=code).first()
    return Term(row.name, row.name_en) if row else Term(code, code)


def moment(at: datetime) -> str:
    """A time as it stands in a sentence."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def _must_be_in_turn(proposal: Proposal) -> None:
    """The request runs, it is the turn of this organisation, in time, and nothing in its row was altered."""
    if proposal.state not in RUNNING or proposal.state == "approved":
        raise Refused(Code.APPROVAL_OVER, state=STATE_WORDS[proposal.state])
    if proposal.state == "returned":
        raise Refused(Code.APPROVAL_RETURNED, organisation=place_term(proposal.origin))
    if not proposal.in_turn_here:
        raise Refused(Code.APPROVAL_WRONG_LEVEL, organisation=place_term(proposal.turn), step=proposal.step_now.title)
    must_be_in_time(proposal)
    if proposal.digest != proposal.frozen():
        raise Refused(Code.APPROVAL_ALTERED)


def must_be_in_time(proposal: Proposal) -> None:
    """Raises Refused(APPROVAL_EXPIRED), also before the clock has been round to say so."""
    if proposal.due_at is not None and proposal.due_at <= timezone.now():
        raise Refused(Code.APPROVAL_EXPIRED, at=moment(proposal.due_at))


def _must_not_be_an_editor(staff_id: int, person: str, proposal: Proposal) -> None:
    written = [version for version in proposal.versions.all() if version.person == person]
    if not written:
        return
    own = written[0]
    if own.staff_id != staff_id:
        raise Refused(Code.APPROVAL_SECOND_ACCOUNT, name=own.name)
    if own.number == 1:
        borrowed = lent_to(staff_id, proposal.permission)
        if borrowed:
            raise Refused(Code.APPROVAL_LENT_TO_AUTHOR, name=borrowed[0].lender.name)
        raise Refused(Code.APPROVAL_OWN)
    raise Refused(Code.APPROVAL_EDITED_BY_YOU, version=own.number)


def _lender(actor: Actor, proposal: Proposal) -> StaffMember | None:
    """In whose right the actor decides: None for the own. A lent right counts while its lender holds it too."""
    permission = Permission(proposal.permission)
    if actor.may(permission):
        return None
    assert actor.staff_id is not None
    lapsed = None
    for lent in lent_to(actor.staff_id, permission):
        lender = lent.lender
        holds = lender.is_active and lender.organisation_id == actor.organisation and actor_of(lender).may(permission)
        if holds and may_pass_to(lender, lent.delegate, permission):
            return lender
        lapsed = lender
    if lapsed is not None:
        raise Refused(Code.APPROVAL_LENT_LAPSED, name=lapsed.name, permission=right_title(permission))
    later = proposal.way.steps[proposal.step + 1 :]
    if any(step.organisation == actor.organisation and actor.may(Permission(step.permission)) for step in later):
        raise Refused(Code.APPROVAL_NOT_YOUR_TURN, step=proposal.step_now.title)
    raise Refused(Code.PERMISSION_MISSING, permission=permission.value)


def _lender_must_be_free(lender: StaffMember, person: str, proposal: Proposal) -> None:
    """A lent right reaches no further than its lender's own."""
    if (
        any(version.person == person for version in proposal.versions.all())
        or _decided_by(person, proposal) is not None
    ):
        raise Refused(Code.APPROVAL_LENDER_BARRED, name=lender.name)


def _must_not_have_decided(staff_id: int, person: str, proposal: Proposal) -> None:
    decision = _decided_by(person, proposal)
    if decision is None:
        return
    if decision.step != proposal.step:
        raise Refused(Code.APPROVAL_DECIDED_EARLIER, step=proposal.way.steps[decision.step].title)
    if decision.person != person:
        raise Refused(Code.APPROVAL_DECIDED_FOR_YOU, name=decision.name)
    if decision.staff_id != staff_id:
        raise Refused(Code.APPROVAL_SECOND_ACCOUNT, name=decision.name)
    raise Refused(Code.APPROVAL_TWICE)


def _decided_by(person: str, proposal: Proposal) -> Decision | None:
    """What bars a person: a decision about this version, or about another step of any version; own or in one's name."""
    for decision in proposal.decisions.all():
        counts = decision.version == proposal.version or decision.step != proposal.step
        if counts and person in (decision.person, decision.lender_person):
            return decision
    return None
