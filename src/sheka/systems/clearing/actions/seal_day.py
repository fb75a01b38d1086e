"""Seal a clearing day (S8): close its window and count what is in it."""

from __future__ import annotations

from datetime import date

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import hold_chain, record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.clearing.models import Day
from sheka.systems.clearing.states import DAY
from sheka.systems.clearing.totals import totals_of
from sheka.systems.clearing.waiting import day_ends, day_sealed
from sheka.systems.transactions.actions.close_window import close_window
from sheka.systems.transactions.models import Window

PATIENCE_MS = 300
"""How long bookings may be held up by one try to close the window."""
TRIES = 100
LOCK_NOT_AVAILABLE = "55P03"


@action(Permission.CLEARING_SEAL)
def seal_day(actor: Actor, *, settlement_date: date) -> Day:
    """Close the window for everybody and count it for the actor's organisation, under the lock that closed it.

    Sealing again answers the same day. Raises Refused: CLEARING_DAY_NOT_OPEN, CLEARING_LEDGER_BUSY.
    """
    day_ends(actor, settlement_date)
    window = _close(actor, settlement_date)
    known = Day.objects.filter(organisation_id=actor.organisation, window_id=window.pk).first()
    if known is not None:
        return known
    totals = totals_of(window, actor.organisation)
    day = Day.objects.create(
        organisation_id=actor.organisation,
        window_id=window.pk,
        settlement_date=settlement_date,
        state=DAY.initial,
        count=sum(total.count for total in totals),
        purchases=sum(total.purchases for total in totals),
        reversals=sum(total.reversals for total in totals),
        adjusted=sum(total.adjusted for total in totals),
        adjustments=sum(total.adjustments for total in totals),
        sealed_at=timezone.now(),
    )
    day_sealed(actor, day)
    record(
        actor,
        "clearing.sealed",
        f"day:{actor.organisation}:{settlement_date.isoformat()}",
        count=day.count,
        purchases=day.purchases,
        reversals=day.reversals,
        adjustments=day.adjustments,
    )
    return day


def _close(actor: Actor, settlement_date: date) -> Window:
    """Close the window with the audit chain held already. Some actions write their audit rows first and book then (an
    approval), others book first (a deposit): whichever order is taken here could wait for one of them for ever. So the
    chain is taken, the window is waited for a moment, and both are let go when it is not had.
    """
    for _ in range(TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                hold_chain()
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{PATIENCE_MS}ms"])
                window = close_window(actor, settlement_date=settlement_date)
                cursor.execute("SELECT set_config('lock_timeout', '0', true)")
                return window
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                raise
    raise Refused(Code.CLEARING_LEDGER_BUSY, day=settlement_date.isoformat())
