"""Take an approved proposal and mark it done: it is carried out once."""

from __future__ import annotations

from typing import Any

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.states import PROPOSAL
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor


def carry_out(actor: Actor, *, proposal_id: int, kind: str) -> dict[str, Any]:
    """The payload that was approved, unchanged. Raises Refused: APPROVAL_WRONG_KIND, APPROVAL_STALE, STATE_FORBIDS."""
    proposal = Proposal.objects.select_for_update().get(pk=proposal_id)
    if proposal.kind != kind:
        raise Refused(Code.APPROVAL_WRONG_KIND, expected=kind, got=proposal.kind)
    if proposal.digest != digest(proposal.payload):
        raise Refused(Code.APPROVAL_STALE)
    proposal.state = PROPOSAL.after(proposal.state, "carry_out")
    proposal.save(update_fields=["state"])
    record(actor, "approval.carried_out", f"proposal:{proposal.pk}", kind=kind, digest=proposal.digest)
    payload: dict[str, Any] = proposal.payload
    return payload
