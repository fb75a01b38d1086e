"""Take an approved request and mark it done: it is carried out once, as long as the approval stands."""

from __future__ import annotations

from typing import Any

from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.queries import locked
from sheka.office.approvals.seats import must_be_in_time, place_term
from sheka.office.approvals.turns import settle
from sheka.office.approvals.waiting import keep_work
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor


def carry_out(actor: Actor, *, proposal_id: int, kind: str) -> dict[str, Any]:
    """The payload that was approved, unchanged. Called by a system's action, in its transaction.

    Raises Refused: APPROVAL_WRONG_KIND, APPROVAL_ALTERED, APPROVAL_EXPIRED, APPROVAL_WRONG_ORGANISATION, STATE_FORBIDS.
    """
    proposal = locked(actor, proposal_id)
    if proposal.kind != kind:
        raise Refused(Code.APPROVAL_WRONG_KIND, expected=kind, got=proposal.kind)
    if proposal.organisation_id != actor.organisation:
        raise Refused(Code.APPROVAL_WRONG_ORGANISATION, organisation=place_term(proposal.organisation_id))
    if proposal.digest != proposal.frozen():
        raise Refused(Code.APPROVAL_ALTERED)
    if proposal.state == "approved":
        must_be_in_time(proposal)
    settle(actor, proposal, "carry_out")
    keep_work(actor, proposal)
    record(actor, "approval.carried_out", proposal.key, kind=kind, digest=proposal.digest)
    payload: dict[str, Any] = proposal.payload
    return payload
