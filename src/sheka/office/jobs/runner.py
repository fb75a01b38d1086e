"""Runs a job: as the person who started it, with the rights of this moment, and says in every case how it ended."""

from __future__ import annotations

import logging
from contextlib import closing, nullcontext
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.jobs import ends
from sheka.office.jobs.interrupts import fresh_connection, interruptible
from sheka.office.jobs.models import JobRun
from sheka.office.jobs.progress import Cancelled, Interrupted, Progress, Superseded
from sheka.office.jobs.registry import JobKind, kind_of
from sheka.office.scope import acting_in, whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.queries import actor_of

PROCESS = "process:"
log = logging.getLogger("sheka.jobs")


class PutOff(Exception):
    """Tells the queue when to hand the run out again."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(until.isoformat())


def perform(run_id: int, queue_id: int, *, apart: bool = False) -> None:
    """Run it once, if it still waits in that row of the queue.

    `apart`: progress goes over a connection of its own, so that others see it at once. Raises PutOff when it is to be
    tried again.
    """
    with whole_node("the worker finds a run before it knows whose it is"):
        run = ends.claim(run_id, queue_id)
        if run is None:
            return
        try:
            with interruptible() if apart else nullcontext():
                _perform(run, apart)
        except Cancelled:
            ends.end(run, "stop")
        except Interrupted:
            if apart:
                fresh_connection()
            ends.put_back(run)
            raise PutOff(timezone.now()) from None
        except Superseded:
            log.warning("run %s of %s was taken over", run.pk, run.name)
        except Exception as error:
            _failed(run, error)


def _perform(run: JobRun, apart: bool) -> None:
    kind = kind_of(run.name)
    actor = _starter(run)
    actor.require(kind.permission)
    side = connection.copy() if apart else connection
    with acting_in(actor.scope), closing(side) if apart else nullcontext():
        progress = Progress(run, side)
        if not kind.whole:
            result = kind.run(actor, progress, **run.args)
        with transaction.atomic():
            if kind.whole:
                result = kind.run(actor, progress, **run.args)
            with whole_node("the end of a run is written whoever started it"):
                ends.finish(run, _plain(result))


def _starter(run: JobRun) -> Actor:
    """Who started it, as of now. Raises Refused: STAFF_INACTIVE, JOB_STARTER_MOVED."""
    if run.staff_id is None:
        return Actor.process(run.starter.removeprefix(PROCESS), run.organisation_id)
    actor = actor_of(StaffMember.objects.select_related("organisation").get(pk=run.staff_id))
    if actor.organisation != run.organisation_id:
        raise Refused(Code.JOB_STARTER_MOVED, name=run.starter)
    return actor


def _failed(run: JobRun, error: Exception) -> None:
    """Decide between a later try and the end."""
    kind = kind_of(run.name) if not (isinstance(error, Refused) and error.code is Code.JOB_UNKNOWN) else None
    try:
        if kind is not None and kind.may_pass(error) and run.attempts < run.bound:
            until = _later(kind, run.attempts)
            ends.put_off(run, error, until)
            raise PutOff(until) from None
        if kind is not None and kind.may_pass(error):
            ends.end(run, "give_up", failure=ends.told(error))
        elif isinstance(error, Refused):
            ends.end(run, "refuse", failure=ends.told(error))
        else:
            log.exception("run %s of %s broke", run.pk, run.name, exc_info=error)
            ends.end(run, "give_up", failure=ends.told(error))
    except Superseded:
        log.warning("run %s of %s was taken over", run.pk, run.name)


def _later(kind: JobKind, attempt: int) -> datetime:
    return timezone.now() + timedelta(seconds=kind.pause(attempt))


def _plain(result: object) -> dict[str, Any] | None:
    if result is None or isinstance(result, dict):
        return result
    raise TypeError(f"a job returns a dict or None, not {type(result).__name__}")
