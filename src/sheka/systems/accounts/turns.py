"""The turns of the ledger (S6): the books are proved every night, and a failure is told on the page of the node's
health; money on closed accounts is looked for every five minutes, and the next stretches of entries are made.
"""

from __future__ import annotations

from django.conf import settings

from sheka.office.jobs.registry import periodic
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.keep_late_money import look_for_late_money
from sheka.systems.accounts.actions.make_stretches import make_stretches
from sheka.systems.accounts.actions.verify_books import must_hold, verify_books
from sheka.systems.accounts.stretches import AHEAD, stretches_ahead

VERIFY = "accounts.verify"


@periodic(VERIFY, cron="10 19 * * *")  # 03:10 in Beijing, when few pay
def verify() -> None:
    """Raises Refused(LEDGER_BROKEN) after the audit row is written: the turn is then marked as failed."""
    must_hold(verify_books(Actor.process("ledger", settings.NODE.organisations[0])))


@periodic("accounts.late_money", cron="*/5 * * * *")
def late_money() -> None:
    """A reversal may come days after an account was closed; its money is seen within five minutes (S10)."""
    look_for_late_money()


@periodic("accounts.stretches", cron="*/10 * * * *")
def stretches() -> None:
    """The ledger never comes to a number that has no place."""
    if stretches_ahead() < AHEAD:
        make_stretches(Actor.process("partitions", settings.NODE.organisations[0]))
