"""Complete what was returned, or amend what is still decided at home: a new version, the earlier decisions are void."""

from __future__ import annotations

from typing import Any

from sheka.foundation.canonical import plain_form
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import add_version
from sheka.office.approvals.models import Proposal, frozen_digest
from sheka.office.approvals.queries import holding
from sheka.office.approvals.seats import must_be_in_time, place_term
from sheka.office.approvals.states import RUNNING, STATE_WORDS
from sheka.office.approvals.turns import settle
from sheka.office.approvals.waiting import keep_work
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor


def amend(actor: Actor, *, proposal_id: int, digest: str, payload: dict[str, Any], note: str) -> Proposal:
    """Freeze `payload` as the next version; `note` says what was changed. Whoever does it becomes an editor.

    What was returned starts again where its route says, what was still open at its first step.
    Raises Refused: PERMISSION_MISSING, APPROVAL_OVER, APPROVAL_AWAY, APPROVAL_STALE, APPROVAL_EXPIRED,
    APPROVAL_NOTHING_CHANGED, APPROVAL_REASON, and what the matter's own check refuses.
    """
    with holding(actor, proposal_id) as proposal:
        if proposal.origin != actor.organisation or proposal.organisation_id != actor.organisation:
            raise Refused(Code.APPROVAL_WRONG_ORGANISATION, organisation=place_term(proposal.organisation_id))
        return action(proposal.matter.proposes)(_amend)(actor, proposal, digest, payload, note.strip())


def _amend(actor: Actor, proposal: Proposal, digest: str, payload: dict[str, Any], note: str) -> Proposal:
    if proposal.state not in RUNNING or proposal.state == "approved":
        raise Refused(Code.APPROVAL_OVER, state=STATE_WORDS[proposal.state])
    if not proposal.in_turn_here:
        raise Refused(Code.APPROVAL_AWAY, organisation=place_term(proposal.turn))
    must_be_in_time(proposal)
    if digest != proposal.digest:
        raise Refused(Code.APPROVAL_STALE)
    frozen: Any = plain_form(payload)
    if frozen == proposal.payload:
        raise Refused(Code.APPROVAL_NOTHING_CHANGED)
    if not note:
        raise Refused(Code.APPROVAL_REASON)
    if proposal.matter.check:
        proposal.matter.check(actor, frozen)
    verb = "complete" if proposal.state == "returned" else "amend"
    proposal.version, proposal.payload = proposal.version + 1, frozen
    proposal.digest = frozen_digest(
        proposal.number, proposal.kind, proposal.subject, proposal.origin, proposal.version, frozen
    )
    add_version(actor, proposal, note=note)
    stays = verb == "complete" and proposal.way.resume == "asker"
    settle(actor, proposal, verb, step=proposal.step if stays else 0)
    keep_work(actor, proposal)
    record(actor, f"approval.{verb}", proposal.key, version=proposal.version, digest=proposal.digest, note=note)
    return proposal
