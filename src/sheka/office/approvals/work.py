"""The work that requests give: to decide, to complete, to carry out."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.approvals.waiting import CARRY_OUT, COMPLETE, DECIDE
from sheka.office.work.kinds import Address, work_kind


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
