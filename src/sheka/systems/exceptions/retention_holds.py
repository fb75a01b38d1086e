"""A business day stays in the database while a case about one of its items is open (S10)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.exceptions.states import RUNNING
from sheka.systems.transactions.retention import HeldDay, holds_day

CASE_OPEN = Term("有未结的差错案件", "a case about it is open")


@holds_day("exceptions")
def case_open(held: HeldDay) -> Term | None:
    """The subject of a case names the business date of its item: institution:terminal:date:STAN:kind."""
    named = f":{held.day:%Y%m%d}:"
    running = ExceptionCase.objects.filter(state__in=RUNNING, subject__contains=named)
    return CASE_OPEN if running.exists() else None
