"""A real worker of a node that knows two more jobs: `python -m tests.support.job_worker`."""

from __future__ import annotations

import time

from sheka.office.jobs.registry import job
from sheka.office.staff.permissions import Permission


def declare() -> None:
    """Declare the jobs `test.slow` and `test.flaky`, in the worker and in the test that starts them."""

    @job("test.slow", title_zh="慢", title_en="Slow", permission=Permission.AUDIT_READ, attempts=2)
    def slow(actor, progress, *, steps):
        from sheka.office.jobs.models import PeriodicRun

        PeriodicRun.objects.create(name=f"slow by {actor.name}", started_at="2026-11-22T00:00:00Z")
        for step in range(steps):
            progress(step, steps, ("第几步", "a step"))
            time.sleep(0.05)
        return {"steps": steps}

    @job(
        "test.flaky",
        title_zh="坏",
        title_en="Flaky",
        permission=Permission.AUDIT_READ,
        transient=(OSError,),
        back_off=0,
    )
    def flaky(actor, progress):
        from sheka.office.jobs.models import JobRun

        if JobRun.objects.get(name="test.flaky").attempts < 3:
            raise OSError("the line is down")
        return {"lines": 1}


if __name__ == "__main__":
    from sheka.config.worker import main

    declare()
    main()
