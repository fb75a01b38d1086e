"""Make the partitions of the coming days, and move what lies in the rest into its days (S4)."""

from __future__ import annotations

from datetime import date

from django.db import connection

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.partitions import missing_ahead


@action(Permission.PARTITION_MANAGE)
def make_partitions(actor: Actor, *, today: date) -> tuple[int, int]:
    """How many partitions were made and how many rows of the rest were moved.

    A lock that does not come in two seconds is no error: the next turn tries again, and the rest takes the rows.
    """
    moved = int(_one("SELECT transactions_settle_rest()"))
    days = missing_ahead(today)
    made = sum(bool(_one("SELECT transactions_make_day(%s)", day)) for day in days)
    record(actor, "partitions.made", "partitions:transactions", days=[day.isoformat() for day in days], moved=moved)
    return made, moved


def _one(statement: str, *values: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute(statement, values)
        return cursor.fetchone()[0]
