"""The kinds of work that carriers give, and where each is done (K5-K7)."""

from __future__ import annotations

from collections.abc import Callable

from sheka.foundation.terms import Term
from sheka.office.staff.permissions import Permission
from sheka.office.work.kinds import Address, work_kind
from sheka.office.work.notices import notice_kind
from sheka.office.work.search import finder
from sheka.systems.custody import waiting
from sheka.systems.custody.queries.carriers import find_carriers


def _named(view: str) -> Callable[[str], Address]:
    def address(subject: str) -> Address:
        return view, subject.partition(":")[2]

    return address


work_kind(waiting.ISSUE, Term("载体待发放", "Carriers to be issued"), address=_named("console:custody_order"))
work_kind(waiting.SHIP, Term("载体待移交", "Carriers to be shipped"), address=_named("console:custody_order"))
work_kind(waiting.GIVE, Term("待交出人确认", "Giver to confirm"), address=_named("console:custody_hand_over"))
work_kind(waiting.TAKE, Term("待接收人确认", "Receiver to confirm"), address=_named("console:custody_hand_over"))
work_kind(waiting.CHECK, Term("归还待查验", "Returned, to be checked"), address=_named("console:custody_carrier"))
work_kind(waiting.COUNT, Term("待盘点", "To be counted"), address=_named("console:custody_count"))
work_kind(waiting.COUNT_DUE, Term("定期盘点", "Periodic count"), address=lambda subject: ("console:custody_counts",))
work_kind(
    waiting.WITNESS,
    Term("载体销毁待见证", "Destruction to be witnessed"),
    address=_named("console:custody_destruction"),
)
work_kind(
    waiting.DESTROY, Term("载体待销毁", "To be destroyed"), address=_named("console:custody_destruction"), tone="stop"
)
work_kind(waiting.SUPERVISE, Term("监督报告待填", "Supervision report"), address=_named("console:custody_party"))
work_kind(
    waiting.OVERDUE,
    Term("第三方逾期未还", "Overdue at a third party"),
    address=_named("console:custody_party"),
    tone="stop",
)
work_kind(waiting.FILING, Term("供应单位备案到期", "Filing ends"), address=lambda subject: ("console:custody_parties",))
work_kind(
    waiting.LATE, Term("封装袋逾期未到", "Bag not arrived"), address=_named("console:custody_hand_over"), tone="stop"
)
notice_kind(
    waiting.OVERDUE,
    Term("第三方逾期未还载体", "Carriers overdue at a third party"),
    severity="stop",
    escalates_after=1,
    address=_named("console:custody_party"),
)
notice_kind(
    waiting.LATE,
    Term("封装袋逾期未到", "Bag not arrived"),
    severity="stop",
    escalates_after=1,
    address=_named("console:custody_hand_over"),
)
finder("carriers", Term("密钥载体", "Key carriers"), find_carriers, needs=(Permission.CARRIER_VIEW,))
