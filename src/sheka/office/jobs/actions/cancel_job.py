"""Ask a job to stop: one that waits is over at once, one that runs stops at its next word of progress."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from sheka.office.audit.trail import record
from sheka.office.jobs.models import JobRun
from sheka.office.jobs.queries import must_own
from sheka.office.jobs.states import ALIVE, RUN
from sheka.office.staff.actors import Actor


def cancel_job(actor: Actor, *, run_id: int) -> JobRun:
    """By who started it, or by an administrator of jobs.

    Raises Refused: JOB_RUN_UNKNOWN, STATE_FORBIDS when it is over.
    """
    with transaction.atomic():
        run = must_own(actor, run_id, lock=True)
        run.state = RUN.after(run.state, "cancel")
        run.cancel_asked_at = run.cancel_asked_at or timezone.now()
        run.cancel_asked_by = run.cancel_asked_by or actor.name
        if run.state not in ALIVE:
            run.ended_at = timezone.now()
        run.save(update_fields=["state", "cancel_asked_at", "cancel_asked_by", "ended_at"])
        record(actor, "job.cancelled", f"job:{run.pk}", job=run.name)
    return run
