"""Take the step in turn: the one verb of everybody's part in a ceremony (K6)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import use_confirmation
from sheka.office.staff.permissions import Permission
from sheka.systems.ceremonies.effects import Lost, effect_named
from sheka.systems.ceremonies.effects.components import cancel_entry
from sheka.systems.ceremonies.models import Act, Ceremony, Seat
from sheka.systems.ceremonies.queries import ceremony_locked, seat_in, seats_in_turn
from sheka.systems.ceremonies.records import record_digest, step_digest
from sheka.systems.ceremonies.rehearsals import end_test_machine
from sheka.systems.ceremonies.roster import must_be_apart, must_fit, part_title, right_of
from sheka.systems.ceremonies.run import Run
from sheka.systems.ceremonies.states import CEREMONY, STATE_WORDS
from sheka.systems.ceremonies.waiting import close_own, keep_work, tell_end

UNSAID = frozenset(("pin", "sealed", "entry", "receiver"))
"""What is given and never written anywhere."""


def take_step(actor: Actor, *, number: str, step: int, given: Mapping[str, str] | None = None) -> Ceremony:
    """Do one's part in step `step` (from 0), which must be the one in turn. `given`: what the step asks for.

    An effect that is refused changes nothing: the step stays open, the refusal is kept with it and shown to everybody.
    Raises Refused: CEREMONY_UNKNOWN, CEREMONY_OVER, CEREMONY_STEP_PASSED, CEREMONY_NOT_YOURS, CEREMONY_ACTED,
    CEREMONY_RIGHT, CONFIRMATION_NEEDED; and what the effect, the machine and the key system refuse.
    """
    try:
        with acting_in(actor.scope), transaction.atomic():
            ceremony = ceremony_locked(actor, number)
            seat = seat_to_act(actor, ceremony, step)
            return action(right_of(seat.key))(_take)(actor, ceremony, seat, given or {})
    except _Effect as stopped:
        if connection.in_atomic_block:
            raise stopped.refusal from None
        action(stopped.right)(_keep_refusal)(actor, number, step, stopped)
        raise stopped.refusal from None


def seat_to_act(actor: Actor, ceremony: Ceremony, step: int) -> Seat:
    """The seat from which this person may act in the step in turn. Asked before presence is proved, and again after.

    Raises Refused: what `take_step` says of it.
    """
    must_be_live(ceremony)
    if step != ceremony.position:
        raise Refused(Code.CEREMONY_STEP_PASSED, step=step + 1, now=ceremony.position + 1)
    seat, turn = seat_in(ceremony, actor.staff_id), seats_in_turn(ceremony)
    if seat is None or seat.key not in ceremony.step_now["seats"]:
        raise Refused(Code.CEREMONY_NOT_YOURS, who=_names(turn), step=step_title(ceremony.step_now))
    if seat.pk not in {one.pk for one in turn}:
        raise Refused(Code.CEREMONY_ACTED)
    staff = must_fit(ceremony.organisation_id, seat.key, seat.staff_id)
    if ceremony.proposal is not None:
        must_be_apart(staff, ceremony.proposal)
    return seat


def must_be_live(ceremony: Ceremony) -> None:
    """Raises Refused(CEREMONY_OVER), also before the clock has been round to say so."""
    late = ceremony.live and ceremony.due_at <= timezone.now()
    if not ceremony.live or late:
        word = STATE_WORDS["expired" if late else ceremony.state]
        raise Refused(Code.CEREMONY_OVER, number=ceremony.number, state=word)


def step_title(step: dict[str, Any]) -> Term:
    return Term(step["zh"], step["en"])


class _Effect(Exception):
    """An effect was refused: everything it did in the database is rolled back, then this is kept."""

    def __init__(self, refusal: Refused, seat: Seat, lost: Lost | None = None) -> None:
        self.refusal, self.seat, self.lost = refusal, seat, lost
        self.right: Permission = right_of(seat.key)
        super().__init__(str(refusal))


def _take(actor: Actor, ceremony: Ceremony, seat: Seat, given: Mapping[str, str]) -> Ceremony:
    if ceremony.digest != ceremony.frozen():
        raise Refused(Code.APPROVAL_ALTERED)
    factor = use_confirmation(actor, step_digest(ceremony)).factor if ceremony.step_now["confirm"] else ""
    before = ceremony.position
    evidence = _effect(actor, ceremony, seat, given)
    now = timezone.now()
    if ceremony.state == "planned":
        ceremony.state, ceremony.started_at = CEREMONY.after(ceremony.state, "begin"), now
    Act.objects.create(
        ceremony=ceremony,
        step=before,
        round=ceremony.round,
        seat=seat,
        verdict="done",
        evidence=evidence | ({"factor": factor} if factor else {}),
        at=now,
    )
    _advance(actor, ceremony)
    if ceremony.position == before:
        close_own(actor, ceremony, seat)
    else:
        keep_work(actor, ceremony)
    ceremony.save()
    said = {name: value for name, value in evidence.items() if name not in UNSAID}
    step = ceremony.script[before]["does"]
    record(actor, "ceremony.step_taken", ceremony.key, step=before + 1, does=step, seat=seat.key, left=said)
    if ceremony.state == "done":
        record(actor, "ceremony.finished", ceremony.key, digest=ceremony.facts["final"])
    return ceremony


def _effect(actor: Actor, ceremony: Ceremony, seat: Seat, given: Mapping[str, str]) -> dict[str, Any]:
    try:
        with transaction.atomic():
            return effect_named(ceremony.step_now["does"])(Run(actor, ceremony, seat, given))
    except Lost as lost:
        raise _Effect(lost.refusal, seat, lost) from lost
    except Refused as refusal:
        raise _Effect(refusal, seat) from refusal


def _advance(actor: Actor, ceremony: Ceremony) -> None:
    """To the next step once enough have acted in this one; after the last, the end."""
    acted = ceremony.acts.filter(step=ceremony.position, round=ceremony.round, verdict="done").count()
    if acted < ceremony.step_now["needed"]:
        return
    ceremony.position += 1
    if ceremony.position < len(ceremony.script):
        if ceremony.step_now["does"] == "sign":
            ceremony.facts["record"] = record_digest(ceremony, ceremony.position)
        return
    ceremony.state, ceremony.ended_at = CEREMONY.after(ceremony.state, "finish"), timezone.now()
    ceremony.ended_by = actor.name
    ceremony.facts["final"] = record_digest(ceremony)
    ceremony.facts.pop("shares", None)
    tell_end(actor, ceremony)
    if ceremony.rehearsal:
        transaction.on_commit(partial(end_test_machine, ceremony.number))


def _keep_refusal(actor: Actor, number: str, step: int, stopped: _Effect) -> None:
    """The refusal stays with the step. A lost entry of components is begun anew, from the step that began it."""
    ceremony, refusal = ceremony_locked(actor, number), stopped.refusal
    if ceremony.position != step or not ceremony.live:
        _record(actor, ceremony, step, refusal)
        return
    told = {"number": refusal.number, "zh": refusal.text("zh-Hans"), "en": refusal.text("en")}
    Act.objects.create(
        ceremony=ceremony,
        step=step,
        round=ceremony.round,
        seat=stopped.seat,
        verdict="refused",
        evidence=told,
        at=timezone.now(),
    )
    if stopped.lost is not None:
        cancel_entry(Run(actor, ceremony, stopped.seat, {}))
        ceremony.round += 1
        ceremony.position = _begun_by(ceremony, stopped.lost.key)
        keep_work(actor, ceremony)
        ceremony.save()
    _record(actor, ceremony, step, refusal)


def _record(actor: Actor, ceremony: Ceremony, step: int, refusal: Refused) -> None:
    does = ceremony.script[step]["does"]
    record(actor, "ceremony.step_refused", ceremony.key, step=step + 1, does=does, refusal=refusal.number)


def _begun_by(ceremony: Ceremony, key: str) -> int:
    return next(
        place for place, step in enumerate(ceremony.script) if step["does"] == "begin_entry" and step["key"] == key
    )


def _names(seats: list[Seat]) -> Term:
    zh = "、".join(f"{part_title(seat.key).zh}{seat.name}" for seat in seats)
    en = ", ".join(f"{part_title(seat.key).en} {seat.name}" for seat in seats)
    return Term(zh or "—", en or "—")
