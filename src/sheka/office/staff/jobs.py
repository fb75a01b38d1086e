"""The turn of the staff: sessions that ran out are ended, and browsers that nobody uses are forgotten (ASVS 7.3)."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore

from sheka.office.jobs.registry import periodic
from sheka.office.staff.sessions import end, run_out


@periodic("staff.sessions", cron="*/15 * * * *")
def end_what_ran_out() -> None:
    """The limits count at every request without this; here the rows say so too, and the stores get no larger."""
    end(run_out(), "expired")
    SessionStore.clear_expired()
