"""The turns of the jobs themselves: what ended long ago is forgotten."""

from __future__ import annotations

import logging

from sheka.office.jobs.queue import forget_finished
from sheka.office.jobs.registry import periodic

KEPT_DAYS = 180
log = logging.getLogger("sheka.jobs")


@periodic("jobs.forget", cron="20 18 * * *")
def forget() -> None:
    """Runs are kept for half a year after their end; what they did is in the audit for good."""
    gone = forget_finished(KEPT_DAYS)
    if gone:
        log.info("%s runs of jobs forgotten", gone)
