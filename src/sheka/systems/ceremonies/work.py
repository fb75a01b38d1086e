"""The work and the notices of ceremonies: each seat has a kind of its own, since several act at the same time (K6)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.work.kinds import Address, work_kind
from sheka.office.work.notices import notice_kind
from sheka.systems.ceremonies.waiting import CALLED, ENDED, SEATS, kind_of


def _page(subject: str) -> Address:
    return ("console:ceremonies_one", subject.partition(":")[2])


for seat in SEATS:
    work_kind(
        kind_of(seat), Term("密钥仪式", "Key ceremony"), address=_page, todo=Term("前往", "Go there"), tone="info"
    )

notice_kind(CALLED, Term("密钥仪式安排", "Key ceremony planned"), severity="wait", escalates_after=3, address=_page)
notice_kind(ENDED, Term("密钥仪式结束", "Key ceremony over"), address=_page)
