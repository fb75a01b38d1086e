"""The work that sub-keys on their way give: the recipient imports, the sender waits for the check values (K2)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.work.kinds import Address, work_kind
from sheka.systems.keys.waiting import CONFIRM, IMPORT


def _keys(subject: str) -> Address:
    return ("console:keys",)


work_kind(IMPORT, Term("子密钥待导入", "Sub-keys to be imported"), address=_keys)
work_kind(CONFIRM, Term("待对方确认", "To be confirmed by the recipient"), address=_keys, tone="info")
