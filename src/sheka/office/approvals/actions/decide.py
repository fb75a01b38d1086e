"""Decide about a request: K6 and design §2.5."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.models import Decision, Proposal
from sheka.office.approvals.queries import holding
from sheka.office.approvals.seats import Seat, actor_as_of_now, moment, seat_for
from sheka.office.approvals.states import PASSED, VERDICTS
from sheka.office.approvals.turns import settle
from sheka.office.approvals.waiting import keep_work
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import use_confirmation
from sheka.office.staff.permissions import Permission


def decide(actor: Actor, *, proposal_id: int, digest: str, step: int, verdict: str, reason: str = "") -> Proposal:
    """Record one person's verdict about the digest and the step (from 0) that this person read.

    `verdict` is approve, supplement (returned for completion: the reason says what is missing) or reject. The last
    seat of a step gives the turn on; the last of all approves, and carries out what the matter declares, all in one
    transaction. Raises Refused: what `seat_for` and `actor_as_of_now` say, APPROVAL_STALE, APPROVAL_EDITED,
    APPROVAL_SEAT_TAKEN, APPROVAL_NOT_YOUR_TURN, APPROVAL_REASON, CONFIRMATION_NEEDED.
    """
    with holding(actor, proposal_id) as proposal:
        if verdict not in VERDICTS:
            raise Refused(Code.APPROVAL_VERDICT, verdict=verdict)
        seat = seat_to_decide(actor, proposal, digest=digest, step=step)
        if verdict != "approve" and not reason.strip():
            raise Refused(Code.APPROVAL_REASON)
        return action(Permission(proposal.permission))(_decide)(seat.actor, proposal, seat, verdict, reason.strip())


def seat_to_decide(actor: Actor, proposal: Proposal, *, digest: str, step: int) -> Seat:
    """The seat from which this person may decide what was read. Raises Refused: everything that `decide` says of it.

    Asked before somebody is made to prove presence, and again under the lock.
    """
    _must_be_what_was_read(proposal, digest)
    _step_must_be_open(actor, proposal, step)
    return seat_for(actor_as_of_now(actor, proposal.way.steps[step].permission), proposal)


def _decide(actor: Actor, proposal: Proposal, seat: Seat, verdict: str, reason: str) -> Proposal:
    step = proposal.step_now
    if step.confirm:
        use_confirmation(actor, proposal.digest)
    Decision.objects.create(
        proposal=proposal,
        version=proposal.version,
        step=proposal.step,
        place=actor.organisation,
        staff_id=actor.staff_id,
        name=actor.name,
        person=seat.person,
        lender=seat.lender,
        lender_name=seat.lender.name if seat.lender else "",
        lender_person=seat.lender_person,
        digest=proposal.digest,
        verdict=verdict,
        reason=reason,
        decided_at=timezone.now(),
    )
    facts = {"lent_by": seat.lender.name} if seat.lender else {}
    record(
        actor,
        "approval.decided",
        proposal.key,
        verdict=verdict,
        digest=proposal.digest,
        version=proposal.version,
        step=proposal.step + 1,
        reason=reason,
        **facts,
    )
    _pass_on(actor, proposal, verdict)
    keep_work(actor, proposal)
    return proposal


def _pass_on(actor: Actor, proposal: Proposal, verdict: str) -> None:
    """Where the request goes after this verdict."""
    if verdict != "approve":
        settle(actor, proposal, verdict)
        return
    way, here = proposal.way, proposal.step
    consents = proposal.decisions.filter(version=proposal.version, step=here, verdict="approve").count()
    if consents < way.steps[here].people:
        settle(actor, proposal, "pass")
    elif here + 1 < len(way.steps):
        settle(actor, proposal, "pass", step=here + 1)
    elif proposal.matter.carry_out is None:
        settle(actor, proposal, "approve")
    else:
        proposal.result = proposal.matter.carry_out(actor, proposal)
        settle(actor, proposal, "finish")


def _must_be_what_was_read(proposal: Proposal, digest: str) -> None:
    if digest == proposal.digest:
        return
    if proposal.versions.filter(digest=digest).exists():
        raise Refused(Code.APPROVAL_EDITED, version=proposal.version)
    raise Refused(Code.APPROVAL_STALE)


def _step_must_be_open(actor: Actor, proposal: Proposal, step: int) -> None:
    """The step that was read is the one in turn. Somebody else may have taken its last seat a moment ago."""
    if step == proposal.step and proposal.state not in PASSED:
        return
    if step > proposal.step or step < 0:
        raise Refused(Code.APPROVAL_NOT_YOUR_TURN, step=proposal.step_now.title)
    last = proposal.decisions.filter(version=proposal.version, step=step, verdict="approve").last()
    if last is not None and last.staff_id == actor.staff_id:
        raise Refused(Code.APPROVAL_TWICE)
    if last is not None:
        raise Refused(Code.APPROVAL_SEAT_TAKEN, name=last.name, at=moment(last.decided_at))
    raise Refused(Code.APPROVAL_STALE)
