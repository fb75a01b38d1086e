"""The work that abnormal transactions give: each open case is an item (S10)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.work.kinds import work_kind

HANDLE = "exception.handle"

work_kind(HANDLE, Term("异常待处理", "Exception to be handled"), tone="stop")
