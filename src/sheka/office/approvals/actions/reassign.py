"""Give a request to one named decider, or back to the pool of all who may decide it."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.queries import holding
from sheka.office.approvals.seats import place_term, seat_for
from sheka.office.approvals.waiting import keep_work
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import actor_of


def reassign(actor: Actor, *, proposal_id: int, to: int | None, reason: str) -> Proposal:
    """`to` is a member of staff who could decide it now, None for the pool. Whoever holds the step's right may do it.

    Raises Refused: PERMISSION_MISSING, APPROVAL_WRONG_LEVEL, APPROVAL_OVER, APPROVAL_REASON, APPROVAL_CANNOT_ASSIGN.
    """
    with holding(actor, proposal_id) as proposal:
        if proposal.state != "open" or not proposal.in_turn_here or proposal.organisation_id != actor.organisation:
            raise Refused(Code.APPROVAL_NOT_HERE, organisation=place_term(proposal.turn or proposal.organisation_id))
        return action(Permission(proposal.permission))(_reassign)(actor, proposal, to, reason.strip())


def _reassign(actor: Actor, proposal: Proposal, to: int | None, reason: str) -> Proposal:
    if not reason:
        raise Refused(Code.APPROVAL_REASON)
    before, after = proposal.assignee, None
    if to is not None:
        after = StaffMember.objects.select_related("organisation").filter(pk=to).first()
        if after is None:
            raise Refused(Code.STAFF_UNKNOWN, name=to)
        try:
            seat_for(actor_of(after), proposal, assigned=False)
        except Refused as why:
            raise Refused(Code.APPROVAL_CANNOT_ASSIGN, name=after.name, number=why.number) from why
    proposal.assignee = after
    proposal.save(update_fields=["assignee"])
    keep_work(actor, proposal)
    record(
        actor,
        "approval.reassigned",
        proposal.key,
        before=before.name if before else None,
        after=after.name if after else None,
        reason=reason,
    )
    return proposal
