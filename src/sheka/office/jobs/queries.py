"""Reading runs: everybody's own, and those of the whole scope for an administrator of jobs."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.office.jobs.models import JobRun
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


def runs_of(actor: Actor) -> QuerySet[JobRun]:
    """The runs that this actor may see, the newest first."""
    seen = JobRun.objects.all()
    return seen if actor.may(Permission.JOB_MANAGE) else seen.filter(staff_id=actor.staff_id, starter=actor.name)


def run_of(actor: Actor, run_id: int) -> JobRun:
    """Raises Refused(JOB_RUN_UNKNOWN), also for a run of somebody else."""
    found = runs_of(actor).filter(pk=run_id).first()
    if found is None:
        raise Refused(Code.JOB_RUN_UNKNOWN, run=run_id)
    return found


def must_own(actor: Actor, run_id: int, *, lock: bool = False) -> JobRun:
    """The run, for a verb on it. Raises Refused: JOB_RUN_UNKNOWN."""
    seen = runs_of(actor)
    found = (seen.select_for_update() if lock else seen).filter(pk=run_id).first()
    if found is None:
        raise Refused(Code.JOB_RUN_UNKNOWN, run=run_id)
    return found


def last_result(actor: Actor, name: str) -> JobRun | None:
    """The last run of this job in the actor's scope that came to an end with a result."""
    return JobRun.objects.filter(name=name, state="done").order_by("-pk").first()
