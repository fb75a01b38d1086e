"""A business day stays in the database until every window that it stands in is netted (S8)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.systems.clearing.models import Day
from sheka.systems.transactions.retention import HeldDay, holds_day

NOT_NETTED = Term("所在清算日未完成轧差清算", "a clearing day that it stands in is not netted")


@holds_day("clearing")
def not_netted(held: HeldDay) -> Term | None:
    """Each organisation with bookings in a window has its day of that window netted."""
    windows = {window for window, _place in held.windows}
    done = set(Day.objects.filter(window_id__in=windows, state="netted").values_list("window_id", "organisation_id"))
    return NOT_NETTED if held.windows - done else None
