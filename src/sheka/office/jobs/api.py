"""Runs of jobs over the API: how far they are and how they ended."""

from __future__ import annotations

from typing import Annotated

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.refusals import Code
from sheka.office.api import Listed, Moment, PageQuery, Request, Router, Shape, page_of, reads
from sheka.office.jobs.models import JobRun
from sheka.office.jobs.queries import run_of, runs_of
from sheka.office.staff.permissions import Permission

router = Router()


class Run(Shape):
    """One run of a job."""

    id: int
    name: str = Field(examples=["audit.verify"])
    organisation: str
    state: str
    attempts: int
    percent: int | None = Field(description="0 to 100; null while nobody knows.")
    asked_at: Moment
    ended_at: Moment | None


@reads(router, "/jobs", scope=Permission.JOB_MANAGE, answer=Listed[Run])
def list_jobs(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """Runs in the client's organisation and below it, the latest first."""
    return page_of(request, runs_of(request.actor), page, ("-pk",), _run)


@reads(router, "/jobs/{number}", scope=Permission.JOB_MANAGE, answer=Run, refusals=(Code.JOB_RUN_UNKNOWN,))
def get_job(request: Request, number: Annotated[int, Path(ge=1, le=2**62)]) -> Run:
    """One run."""
    return _run(run_of(request.actor, number))


def _run(found: JobRun) -> Run:
    return Run(
        id=found.pk,
        name=found.name,
        organisation=found.organisation_id,
        state=found.state,
        attempts=found.attempts,
        percent=found.percent,
        asked_at=found.asked_at,
        ended_at=found.ended_at,
    )
