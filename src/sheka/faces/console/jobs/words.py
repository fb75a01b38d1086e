"""The words and tones of a job's states, and the page that shows the result of a kind of job."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STATES: dict[str, tuple[str | Promise, str]] = {
    "queued": (_("In the queue"), "still"),
    "waiting": (_("To be tried again"), "wait"),
    "running": (_("Running"), "info"),
    "done": (_("Finished"), "good"),
    "refused": (_("Refused"), "stop"),
    "dead": (_("Failed"), "stop"),
    "cancelled": (_("Stopped"), "still"),
}
RESULT_PAGES = {
    "audit.verify": "console:auditing_verification",
    "list.export": "console:list_file",
    "cards.recount_promised_days": "console:operations_recount",
}
"""Name of a job → the page that shows its result, by the number of the run."""
