"""The work that the calendar gives: a notice to compare with its document."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.work.kinds import work_kind

DECIDE = "calendar.decide"

work_kind(
    DECIDE,
    Term("放假安排待复核", "Holiday notice to be compared"),
    address=lambda subject: ("console:operations_calendar", int(subject.partition(":")[2])),
    todo=Term("复核", "Compare"),
)
