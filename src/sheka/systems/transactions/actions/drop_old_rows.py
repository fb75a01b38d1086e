"""Let go what lies beside the transactions and is older than it is kept: keys that were given out, what partners asked
over REST, numbers of offline transactions (S4; policy/retention.toml).

The database keeps what must stay whatever is asked here (sql/old_rows.sql): the two newest keys of a line, requests
whose outcome is unknown or that another one is about, everything of the last 60 days.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db import connection

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.retention import OLD_ROWS, old_row_days

FUNCTIONS = {name: f"SELECT transactions_drop_{name}(%s, %s)" for name in OLD_ROWS}
MOST = 20_000
"""Rows of one call: each is a transaction of a second or less."""


@action(Permission.PARTITION_MANAGE)
def drop_old_rows(actor: Actor, *, of: str, today: date) -> int:
    """How many rows of one of OLD_ROWS went, at most MOST; 0: nothing is left that may go.

    Raises Refused: POLICY_MISSING, ARCHIVE_POLICY.
    """
    before = today - timedelta(days=old_row_days()[of])
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS[of], [before, MOST])
        gone: int = cursor.fetchone()[0]
    record(actor, "old_rows.dropped", f"{of}:{before.isoformat()}", count=gone)
    return gone
