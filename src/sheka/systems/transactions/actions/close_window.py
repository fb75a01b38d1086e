"""Windows of clearing: the first one is opened with the node, each later one when the one before closes (S8)."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import connection

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.models import Window


@action(Permission.CLEARING_SEAL)
def open_first_window(actor: Actor, *, settlement_date: date) -> Window:
    """Open the first window of a new node; when one is open already, that one is answered."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT transactions_open_first_window(%s)", [settlement_date])
    window = Window.objects.get(closed_at__isnull=True)
    record(actor, "window.opened", f"window:{window.settlement_date.isoformat()}")
    return window


@action(Permission.CLEARING_SEAL)
def close_window(actor: Actor, *, settlement_date: date) -> Window:
    """Close the open window under the exclusive lock: every debit that joined it is committed, later ones join the
    next.

    The lock is kept to the end of the transaction, so that what the caller counts then is exactly the window.
    A window that is closed already is answered as it is. Raises Refused: CLEARING_DAY_NOT_OPEN.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT transactions_close_window(%s, %s)", [settlement_date, settlement_date + timedelta(days=1)]
        )
        closed = cursor.fetchone()[0]
    window = Window.objects.filter(settlement_date=settlement_date, closed_at__isnull=False).first()
    if window is None:
        raise Refused(Code.CLEARING_DAY_NOT_OPEN, day=settlement_date.isoformat())
    record(actor, "window.closed" if closed else "window.found_closed", f"window:{settlement_date.isoformat()}")
    return window
