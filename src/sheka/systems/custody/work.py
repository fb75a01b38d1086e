"""The kinds of work that carriers give, and where each is done (K5-K7)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.work.kinds import Address, work_kind
from sheka.systems.custody import waiting


def _named(view: str):  # type: ignore[no-untyped-def]
    def address(subject: str) -> Address:
        return view, subject.partition(":")[2]

    return address


work_kind(waiting.ISSUE, Term("载体待发放", "Carriers to be issued"), address=_named("console:custody_order"))
work_kind(waiting.SHIP, Term("载体待移交", "Carriers to be shipped"), address=_named("console:custody_order"))
work_kind(waiting.GIVE, Term("待交出人确认", "Giver to confirm"), address=_named("console:custody_hand_over"))
work_kind(waiting.TAKE, Term("待接收人确认", "Receiver to confirm"), address=_named("console:custody_hand_over"))
work_kind(waiting.CHECK, Term("归还待查验", "Returned, to be checked"), address=_named("console:custody_carrier"))
