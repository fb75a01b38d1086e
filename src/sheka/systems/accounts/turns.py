"""The turn of the ledger (S6): the books are proved every night; a failure is told on the page of the node's health."""

from __future__ import annotations

from django.conf import settings

from sheka.office.jobs.registry import periodic
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.verify_books import must_hold, verify_books

VERIFY = "accounts.verify"


@periodic(VERIFY, cron="10 19 * * *")  # 03:10 in Beijing, when few pay
def verify() -> None:
    """Raises Refused(LEDGER_BROKEN) after the audit row is written: the turn is then marked as failed."""
    must_hold(verify_books(Actor.process("ledger", settings.NODE.organisations[0])))
