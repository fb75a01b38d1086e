"""Reading requests: the inbox of a reader, one request, who may still decide it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.matters import matters
from sheka.office.approvals.models import Decision, Delegation, Proposal, Version
from sheka.office.approvals.routes import deciding_permissions
from sheka.office.approvals.seats import colleagues_with, lent_to, seat_for
from sheka.office.approvals.states import RUNNING
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import actor_of


@contextmanager
def holding(actor: Actor, proposal_id: int) -> Iterator[Proposal]:
    """A transaction in the actor's scope that holds the request locked. Raises Refused(APPROVAL_UNKNOWN)."""
    with acting_in(actor.scope), transaction.atomic():
        yield locked(actor, proposal_id)


def locked(actor: Actor, proposal_id: int) -> Proposal:
    """The copy within the actor's reach, locked until the end of the transaction. Raises Refused(APPROVAL_UNKNOWN)."""
    found = Proposal.objects.select_for_update(of=("self",)).select_related("organisation").filter(pk=proposal_id)
    proposal = found.first()
    if proposal is None or not actor.reaches(proposal.organisation):
        raise Refused(Code.APPROVAL_UNKNOWN, number=proposal_id)
    return proposal


def to_decide(actor: Actor) -> QuerySet[Proposal]:
    """What waits at the actor's organisation for a right that the actor holds or was lent."""
    lent = {row.permission for row in lent_to(actor.staff_id)} if actor.staff_id else set()
    return Proposal.objects.filter(
        organisation_id=actor.organisation,
        state="open",
        turn=F("organisation_id"),
        permission__in=sorted({*actor.permissions, *lent}),
    )


def decided_by(actor: Actor) -> QuerySet[Proposal]:
    """What this person decided, with whichever verdict."""
    return Proposal.objects.filter(
        organisation_id=actor.organisation,
        pk__in=Decision.objects.filter(staff_id=actor.staff_id).values("proposal_id"),
    )


def made_by(actor: Actor) -> QuerySet[Proposal]:
    """What this person made or edited."""
    edited = Version.objects.filter(staff_id=actor.staff_id).values("proposal_id")
    return Proposal.objects.filter(pk__in=edited, organisation_id=actor.organisation)


def expired_for(actor: Actor) -> QuerySet[Proposal]:
    """What lapsed and this person may read."""
    return readable_by(actor).filter(state="expired")


def readable_by(actor: Actor) -> QuerySet[Proposal]:
    """The copies of the actor's organisation that the actor may read: by the matter's right, as author or decider."""
    kinds = [matter.kind for matter in matters() if actor.may(matter.views) or actor.may(matter.proposes)]
    lent = [row.permission for row in lent_to(actor.staff_id)] if actor.staff_id else []
    reader = Q(kind__in=kinds) | Q(state="open", permission__in=sorted({*actor.permissions, *lent}))
    if actor.staff_id is not None:
        reader |= Q(author_id=actor.staff_id)
        reader |= Q(pk__in=Decision.objects.filter(staff_id=actor.staff_id).values("proposal_id"))
    return Proposal.objects.filter(reader, organisation_id=actor.organisation)


def proposal_read_by(actor: Actor, proposal_id: int) -> Proposal:
    """One request as this person may read it. Raises Refused(APPROVAL_UNKNOWN)."""
    found = readable_by(actor).select_related("organisation", "assignee", "author").filter(pk=proposal_id).first()
    if found is None:
        raise Refused(Code.APPROVAL_UNKNOWN, number=proposal_id)
    return found


def why_not(actor: Actor, proposal: Proposal) -> Refused | None:
    """What would be answered if this person decided now; None when the decision would be taken."""
    try:
        seat_for(actor, proposal)
    except Refused as refusal:
        return refusal
    return None


def could_decide(proposal: Proposal) -> list[StaffMember]:
    """The colleagues of the step in turn who could decide it now by a role of their own."""
    able = []
    for staff in colleagues_with(proposal.organisation_id, proposal.permission):
        try:
            seat_for(actor_of(staff), proposal, assigned=False)
        except Refused:
            continue
        able.append(staff)
    return able


def rights_to_lend(actor: Actor) -> list[Permission]:
    """What this person may lend: the deciding rights of an own role."""
    return sorted(deciding_permissions() & actor.permissions)


def lendings_of(actor: Actor) -> QuerySet[Delegation]:
    """What this person lent or was lent, the newest first."""
    found = Delegation.objects.filter(Q(lender_id=actor.staff_id) | Q(delegate_id=actor.staff_id))
    return found.select_related("lender", "delegate")


def in_force(lent: Delegation) -> bool:
    return lent.ended_at is None and lent.valid_from <= timezone.localdate() < lent.valid_to


def colleagues_of(actor: Actor) -> list[StaffMember]:
    """Who else serves in the actor's organisation."""
    found = StaffMember.objects.filter(organisation_id=actor.organisation, is_active=True)
    return list(found.exclude(pk=actor.staff_id).order_by("name"))


def may_amend(actor: Actor, proposal: Proposal) -> bool:
    """Whether this person could complete or change the request now."""
    at_home = proposal.organisation_id == proposal.origin == actor.organisation and proposal.in_turn_here
    running = proposal.state in ("open", "returned") and proposal.matter.editable
    return at_home and running and actor.may(proposal.matter.proposes)


def may_withdraw(actor: Actor, proposal: Proposal) -> bool:
    """Whether this person is the author, and the request still runs."""
    home = proposal.organisation_id == proposal.origin
    running = proposal.state in RUNNING and proposal.withdrawal_asked_at is None
    return home and running and proposal.author_id == actor.staff_id and actor.may(proposal.matter.proposes)


def may_reassign(actor: Actor, proposal: Proposal) -> bool:
    """Whether this person holds the right of the step in turn here."""
    here = proposal.state == "open" and proposal.in_turn_here and proposal.organisation_id == actor.organisation
    return here and actor.may(Permission(proposal.permission))
