"""Let messages go that are older than they are kept (S4; policy/retention.toml, docs/adr/0031)."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import connection

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.retention import message_days


def days_to_drop(today: date) -> list[date]:
    """The days whose messages the policy no longer keeps, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT transactions_message_days_before(%s)", [today - timedelta(days=message_days())])
        return [day for (day,) in cursor.fetchall()]


@action(Permission.PARTITION_MANAGE)
def drop_messages(actor: Actor, *, day: date) -> int:
    """How many messages of the day went. Rows, entries and seals of its transactions stay."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT transactions_drop_message_day(%s)", [day])
        gone: int = cursor.fetchone()[0]
    record(actor, "messages.dropped", f"messages:{day.isoformat()}", count=gone)
    return gone
