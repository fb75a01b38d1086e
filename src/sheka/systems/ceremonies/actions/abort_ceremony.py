"""Abort a ceremony, at any time and with a reason; or let it lapse. Nothing half done stays in the machine (K6)."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.scope import acting_in, whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.ceremonies.effects.components import cancel_entry
from sheka.systems.ceremonies.models import Ceremony
from sheka.systems.ceremonies.queries import ceremony_locked, seat_in
from sheka.systems.ceremonies.records import record_digest
from sheka.systems.ceremonies.rehearsals import end_test_machine
from sheka.systems.ceremonies.roster import right_of
from sheka.systems.ceremonies.run import Run
from sheka.systems.ceremonies.states import CEREMONY, LIVE, STATE_WORDS
from sheka.systems.ceremonies.waiting import keep_work, tell_end


def abort_ceremony(actor: Actor, *, number: str, reason: str) -> Ceremony:
    """Anybody of the roster stops it. What was done for good stays done, and its minutes say so.

    Raises Refused: CEREMONY_UNKNOWN, CEREMONY_NOT_YOURS, CEREMONY_OVER, CEREMONY_REASON.
    """
    with acting_in(actor.scope), transaction.atomic():
        ceremony = ceremony_locked(actor, number)
        seat = seat_in(ceremony, actor.staff_id)
        if seat is None:
            who = "、".join(one.name for one in ceremony.seats.all())
            raise Refused(Code.CEREMONY_NOT_YOURS, who=who, step=ceremony.title)
        if not ceremony.live:
            raise Refused(Code.CEREMONY_OVER, number=number, state=STATE_WORDS[ceremony.state])
        if len(reason.strip()) < 2:
            raise Refused(Code.CEREMONY_REASON)
        return action(right_of(seat.key))(_end)(actor, ceremony, "abort", reason.strip()[:300])


def expire_due() -> int:
    """End every ceremony of the node whose time has run out; how many. The worker calls it again and again."""
    with whole_node("the clock ends ceremonies of every organisation of the node"):
        due = Ceremony.objects.filter(state__in=LIVE, due_at__lte=timezone.now())
        return sum(_expire(*row) for row in due.values_list("number", "organisation_id"))


def _expire(number: str, place: str) -> bool:
    """Look again under the lock: somebody may have ended it meanwhile."""
    clock = Actor.process("clock", place)
    with transaction.atomic():
        ceremony = ceremony_locked(clock, number)
        if not ceremony.live:
            return False
        action(Permission.CEREMONY_PLAN)(_end)(clock, ceremony, "expire", "")
        return True


def _end(actor: Actor, ceremony: Ceremony, verb: str, reason: str) -> Ceremony:
    seat = ceremony.seats.all()[0]
    if "entry" in ceremony.facts:
        cancel_entry(Run(actor, ceremony, seat, {}))
    ceremony.facts.pop("shares", None)
    ceremony.state = CEREMONY.after(ceremony.state, verb)
    ceremony.ended_at, ceremony.ended_by, ceremony.end_reason = timezone.now(), actor.name, reason
    ceremony.facts["final"] = record_digest(ceremony)
    keep_work(actor, ceremony)
    tell_end(actor, ceremony)
    ceremony.save()
    facts = {"step": ceremony.position + 1, "reason": reason, "digest": ceremony.facts["final"]}
    record(actor, f"ceremony.{ceremony.state}", ceremony.key, **facts)
    if ceremony.rehearsal:
        transaction.on_commit(partial(end_test_machine, ceremony.number))
    return ceremony
