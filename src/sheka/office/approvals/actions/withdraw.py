"""The author takes a request back, until it is done. Where another organisation has the turn, that one is asked."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.queries import holding
from sheka.office.approvals.seats import pseudonym
from sheka.office.approvals.states import RUNNING, STATE_WORDS
from sheka.office.approvals.turns import settle
from sheka.office.approvals.waiting import keep_work
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.staff.actors import Actor

WITHDRAW = "approvals.withdraw"
"""The kind of the message: the author wants it back."""


def withdraw(actor: Actor, *, proposal_id: int, reason: str = "") -> Proposal:
    """At once while it is this organisation's turn; else when the organisation in turn hears of it before it decides.

    Raises Refused: APPROVAL_NOT_AUTHOR, APPROVAL_OVER, PERMISSION_MISSING.
    """
    with holding(actor, proposal_id) as proposal:
        return action(proposal.matter.proposes)(_withdraw)(actor, proposal, reason.strip())


def _withdraw(actor: Actor, proposal: Proposal, reason: str) -> Proposal:
    if proposal.state not in RUNNING:
        raise Refused(Code.APPROVAL_OVER, state=STATE_WORDS[proposal.state])
    author = proposal.versions.first()
    if actor.staff_id is None or author is None or author.person != pseudonym(proposal.number, actor.staff_id):
        raise Refused(Code.APPROVAL_NOT_AUTHOR, name=author.name if author else "—")
    if proposal.in_turn_here:
        settle(actor, proposal, "withdraw")
        record(actor, "approval.withdrawn", proposal.key, reason=reason)
    else:
        proposal.withdrawal_asked_at = timezone.now()
        proposal.save(update_fields=["withdrawal_asked_at"])
        _ask(proposal, reason)
        record(actor, "approval.withdrawal_asked", proposal.key, of=proposal.turn, reason=reason)
    keep_work(actor, proposal)
    return proposal


def withdraw_as_asked(actor: Actor, *, number: UUID, reason: str) -> None:
    """What the organisation in turn does when it is asked: called by the message's handler, as often as it comes.

    Where the turn has gone on, the wish follows it; where the request has ended, it came too late and nothing is done.
    """
    proposal = Proposal.objects.select_for_update().filter(number=number, organisation_id=actor.organisation).first()
    if proposal is None:
        raise Refused(Code.APPROVAL_UNKNOWN, number=number)
    if proposal.state not in RUNNING:
        return
    if proposal.in_turn_here:
        action(proposal.matter.proposes)(_as_asked)(actor, proposal, reason)
    else:
        _ask(proposal, reason)


def _as_asked(actor: Actor, proposal: Proposal, reason: str) -> None:
    settle(actor, proposal, "withdraw")
    keep_work(actor, proposal)
    record(actor, "approval.withdrawn", proposal.key, reason=reason)


def _ask(proposal: Proposal, reason: str) -> None:
    send(proposal.organisation_id, proposal.turn, WITHDRAW, {"number": str(proposal.number), "reason": reason})
