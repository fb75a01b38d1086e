"""Run a job again that is dead, was refused or was cancelled."""

from __future__ import annotations

from django.db import transaction

from sheka.office.audit.trail import record
from sheka.office.jobs.models import JobRun
from sheka.office.jobs.queries import must_own
from sheka.office.jobs.queue import enqueue
from sheka.office.jobs.states import RUN
from sheka.office.staff.actors import Actor


def run_job_again(actor: Actor, *, run_id: int) -> JobRun:
    """It acts as its first starter again, with as many attempts as at first.

    Raises Refused: JOB_RUN_UNKNOWN, STATE_FORBIDS when it is under way or done.
    """
    with transaction.atomic():
        run = must_own(actor, run_id, lock=True)
        run.state = RUN.after(run.state, "run_again")
        run.attempts, run.ended_at, run.cancel_asked_at, run.cancel_asked_by = 0, None, None, ""
        run.done, run.total, run.note, run.note_en = None, None, "", ""
        run.queue_id = enqueue(run.pk)
        run.save()
        record(actor, "job.run_again", f"job:{run.pk}", job=run.name, failure=(run.failure or {}).get("number"))
    return run
