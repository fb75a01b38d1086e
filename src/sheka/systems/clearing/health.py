"""Clearing on the page of the node's health (S8): days that nobody seals or nets, whose money nobody is paid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from sheka.foundation.terms import Term
from sheka.office.operations.health.checks import GOOD, STILL, WAIT, Check, checks
from sheka.systems.transactions.queries import open_window

TITLE = Term("清算日", "Clearing days")
OPEN_DAYS, NET_DAYS = 3, 10
"""A window is sealed on its evening; a long holiday is eight days."""
#: Closed windows that an organisation with institutions has not netted, the oldest first.
_LATE = """
SELECT w.settlement_date, o.organisation_id FROM transactions_window w
JOIN (SELECT organisation_id, min(registered_at) AS since FROM transactions_institution WHERE test_of_id IS NULL
    GROUP BY 1) o ON o.since < w.closed_at
LEFT JOIN clearing_day d ON d.window_id = w.id AND d.organisation_id = o.organisation_id
WHERE w.closed_at < %s AND d.state IS DISTINCT FROM 'netted' ORDER BY 1, 2 LIMIT 1000
"""


@checks("clearing", TITLE)
def clearing() -> Iterator[Check]:
    """Whether the open window is sealed in time, and what was closed is netted."""
    now = timezone.now()
    window = open_window()
    if window is None:
        yield Check("clearing", TITLE, STILL, Term("没有清算窗口", "There is no clearing window"))
        return
    todo = Term(
        "清算员封账、对账；结算员轧差。", "The clearing officer seals and reconciles, the settlement officer nets."
    )
    if window.opened_at < now - timedelta(days=OPEN_DAYS):
        day = window.settlement_date.isoformat()
        text = Term(f"{day} 的清算窗口尚未封账", f"the window of {day} is not sealed")
        yield Check("clearing", TITLE, WAIT, text, todo, since=window.opened_at)
        return
    with connection.cursor() as cursor:
        cursor.execute(_LATE, [now - timedelta(days=NET_DAYS)])
        late = cursor.fetchall()
    if late:
        day, place = late[0]
        text = Term(
            f"{len(late)} 个清算日逾{NET_DAYS}天未轧差，最早 {place} {day}",
            f"{len(late)} days are not netted after {NET_DAYS} days, the first {day} of {place}",
        )
        yield Check("clearing", TITLE, WAIT, text, todo)
        return
    yield Check("clearing", TITLE, GOOD, Term("封账与轧差及时", "Sealed and netted in time"))
