"""The work that a clearing day gives: to be sealed, to be reconciled with the acquirers' files, to be netted (S8)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.work.kinds import Address, work_kind
from sheka.systems.clearing.waiting import NET, RECONCILE, SEAL


def _day(subject: str) -> Address:
    """The page of the day: `day:460100:2026-11-20`."""
    _word, place, settled = subject.split(":")
    return ("console:clearing_one", place, int(settled.replace("-", "")))


work_kind(SEAL, Term("待封账", "To be sealed"), address=_day)
work_kind(RECONCILE, Term("待对账", "To be reconciled"), address=_day)
work_kind(NET, Term("待轧差", "To be netted"), address=_day, tone="info")
