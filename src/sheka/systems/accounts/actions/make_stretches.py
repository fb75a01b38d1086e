"""Make the next stretches of posting numbers before the ledger comes to them (S6)."""

from __future__ import annotations

from django.db import connection

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.stretches import AHEAD


@action(Permission.PARTITION_MANAGE)
def make_stretches(actor: Actor, *, ahead: int = AHEAD) -> int:
    """How many were made. Bookings go on meanwhile; without a stretch they would be refused, so it is done early."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SELECT accounts_make_stretches(%s)", [ahead])
        made = int(cursor.fetchone()[0])
    record(actor, "stretches.made", "partitions:accounts_entry", made=made, ahead=ahead)
    return made
