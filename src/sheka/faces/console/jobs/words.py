"""The words and tones of a job's states, and the page that shows the result of a kind of job."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sheka.office.jobs.models import JobRun
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

STATES: dict[str, tuple[str | Promise, str]] = {
    "queued": (_("In the queue"), "still"),
    "waiting": (_("To be tried again"), "wait"),
    "running": (_("Running"), "info"),
    "done": (_("Finished"), "good"),
    "refused": (_("Refused"), "stop"),
    "dead": (_("Failed"), "stop"),
    "cancelled": (_("Stopped"), "still"),
}
RESULT_PAGES: dict[str, tuple[str, Callable[[Actor, JobRun], bool]]] = {
    "audit.verify": ("console:auditing_verification", lambda actor, run: actor.may(Permission.AUDIT_READ)),
    "list.export": ("console:list_file", lambda actor, run: run.staff_id == actor.staff_id),
    "cards.recount_promised_days": (
        "console:operations_recount",
        lambda actor, run: actor.may(Permission.CALENDAR_MANAGE),
    ),
}
"""Name of a job → the page that shows its result, by the number of the run, and whether a reader may open it."""
