"""Whose turn it is: each change gives the request on, and tells every organisation that holds a copy (design §2.5, §4).

One message carries the whole request as its sender holds it. It is taken when its serial is newer than the receiver's,
so it may come twice, late or in another order than it was sent.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from sheka.office.approvals.models import Decision, Proposal, Version
from sheka.office.approvals.states import PROPOSAL
from sheka.office.messages.outbox import send
from sheka.office.staff.actors import Actor

STANDS = "approvals.stands"
"""The kind of the message: this is how the request stands."""
DECISION = ("version", "step", "place", "name", "person", "lender_name", "lender_person", "digest", "verdict", "reason")
VERSION = ("number", "payload", "digest", "name", "person", "note")
WHOLE = ("kind", "subject", "origin", "route", "state", "step", "turn", "permission", "version", "serial", "result")
TIMES = ("made_at", "expires_at", "due_at", "ended_at")


def settle(actor: Actor, proposal: Proposal, verb: str, *, step: int | None = None) -> None:
    """Apply `verb`, give the turn on, save, tell the others. Raises Refused(STATE_FORBIDS)."""
    before = (proposal.state, proposal.step, proposal.version)
    proposal.state = PROPOSAL.after(proposal.state, verb)
    proposal.step = proposal.step if step is None else step
    proposal.serial += 1
    proposal.assignee = None
    if (proposal.state, proposal.step, proposal.version) != before or verb in ("amend", "complete"):
        give_turn(proposal)
    proposal.save()
    tell(proposal)


def give_turn(proposal: Proposal) -> None:
    """Whose turn the state makes it, in which right, until when."""
    now, way = timezone.now(), proposal.way
    if proposal.state == "open":
        step = way.steps[proposal.step]
        _turn(proposal, step.organisation, step.permission, now + timedelta(days=step.days))
    elif proposal.state == "returned":
        _turn(proposal, proposal.origin, proposal.matter.proposes, now + timedelta(days=way.completion_days))
    elif proposal.state == "approved":
        _turn(proposal, proposal.origin, proposal.matter.proposes, now + timedelta(days=way.carry_out_days))
        proposal.due_at = now + timedelta(days=way.carry_out_days)
    else:
        proposal.turn, proposal.permission, proposal.due_at, proposal.ended_at = "", "", None, now


def tell(proposal: Proposal) -> None:
    """Send the request as it now stands to whoever has the turn and to every other holder of a copy."""
    holders = {proposal.origin, *proposal.decisions.values_list("place", flat=True), proposal.turn}
    for holder in sorted(holders - {proposal.organisation_id, ""}):
        send(proposal.organisation_id, holder, STANDS, snapshot(proposal))


def snapshot(proposal: Proposal) -> dict[str, Any]:
    """The whole request as plain JSON: what it asks in every version, who decided what and why, whose turn it is."""
    return {
        "number": str(proposal.number),
        **{name: getattr(proposal, name) for name in WHOLE},
        **{name: _text(getattr(proposal, name)) for name in TIMES},
        "versions": [_plain(row, VERSION, row.made_at) for row in proposal.versions.all()],
        "decisions": [_plain(row, DECISION, row.decided_at) for row in proposal.decisions.all()],
    }


def _plain(row: Version | Decision, names: tuple[str, ...], at: datetime) -> dict[str, Any]:
    return {**{name: getattr(row, name) for name in names}, "at": _text(at)}


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _turn(proposal: Proposal, organisation: str, permission: str, due: datetime) -> None:
    proposal.turn, proposal.permission = organisation, permission
    proposal.due_at = min(due, proposal.expires_at)
