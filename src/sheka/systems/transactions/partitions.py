"""The partitions of the transactions by business date: made ahead, settled, looked at (S4, docs/adr/0032)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from sheka.systems.transactions.retention import retention


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition. `day` is None for the rest; `rows` as the database estimates them; `bytes` with its indexes."""

    name: str
    day: date | None
    rows: int
    bytes: int


def partitions() -> list[Partition]:
    """In the order of their days, the rest last."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, day, rows, bytes FROM transactions_partitions()")
        return [Partition(*row) for row in cursor.fetchall()]


def missing_ahead(today: date) -> list[date]:
    """The days that want a partition and have none: yesterday to `days_ahead` days from now."""
    known = {one.day for one in partitions()}
    days = (today + timedelta(days=number) for number in range(-1, retention().days_ahead + 1))
    return [day for day in days if day not in known]


def rest_is_empty() -> bool:
    """Whether every row lies in the partition of its day."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT bytes FROM transactions_partitions() WHERE day IS NULL")
        row = cursor.fetchone()
        if row is None or row[0] <= EMPTY_BYTES:
            return True
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM transactions_transaction"
            " WHERE tableoid = 'transactions_transaction_rest'::regclass)"
        )
        return bool(cursor.fetchone()[0])


EMPTY_BYTES = 32 * 1024
"""A table with two indexes and no row: their first pages, and TOAST's."""
