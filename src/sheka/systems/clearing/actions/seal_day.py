"""Seal a clearing day (S8): close its window and count what is in it."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.clearing.models import Day
from sheka.systems.clearing.states import DAY
from sheka.systems.clearing.waiting import day_ends, day_sealed
from sheka.systems.transactions.actions.close_window import close_window
from sheka.systems.transactions.queries import window_totals


@action(Permission.CLEARING_SEAL)
def seal_day(actor: Actor, *, settlement_date: date) -> Day:
    """Close the window for everybody and count it for the actor's organisation, under the lock that closed it.

    Sealing again answers the same day. Raises Refused(CLEARING_DAY_NOT_OPEN).
    """
    day_ends(actor, settlement_date)
    window = close_window(actor, settlement_date=settlement_date)
    known = Day.objects.filter(organisation_id=actor.organisation, window_id=window.pk).first()
    if known is not None:
        return known
    totals = window_totals(window, actor.organisation)
    day = Day.objects.create(
        organisation_id=actor.organisation,
        window_id=window.pk,
        settlement_date=settlement_date,
        state=DAY.initial,
        count=sum(total.count for total in totals),
        purchases=sum(total.purchases for total in totals),
        reversals=sum(total.reversals for total in totals),
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
    )
    return day
