"""The work that requests give: to decide, to complete, to carry out."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.approvals.waiting import CARRY_OUT, COMPLETE, DECIDE, ENDED, LENT, RETURNED
from sheka.office.work.kinds import Address, work_kind
from sheka.office.work.notices import notice_kind


def _page(subject: str) -> Address:
    return "console:approvals_one", subject.partition(":")[2]


work_kind(DECIDE, Term("审批", "To be decided"), address=_page, todo=Term("审批", "Decide"))
work_kind(COMPLETE, Term("补正", "To be completed"), address=_page, todo=Term("补正", "Complete"), tone="stop")
work_kind(
    CARRY_OUT,
    Term("已批准，待办理", "Approved, to be carried out"),
    address=_page,
    todo=Term("查看", "Open"),
    tone="info",
)

notice_kind(RETURNED, Term("申请退回补正", "Request returned"), severity="wait", escalates_after=5, address=_page)
notice_kind(ENDED, Term("申请办结", "Request closed"), address=_page)
notice_kind(LENT, Term("受委托审批", "Right lent to you"), address=lambda subject: ("console:approvals_lending",))
