"""The work that a clearing day gives: to be sealed, to be reconciled with the acquirers' files, to be netted (S8)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.work.kinds import Address, work_kind
from sheka.systems.clearing.waiting import NET, RECONCILE, SEAL


def _days(subject: str) -> Address:
    return ("console:clearing",)


work_kind(SEAL, Term("待封账", "To be sealed"), address=_days)
work_kind(RECONCILE, Term("待对账", "To be reconciled"), address=_days)
work_kind(NET, Term("待轧差", "To be netted"), address=_days, tone="info")
