"""Net a reconciled day: what each institution is owed (S8)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.clearing.models import Day, Net
from sheka.systems.clearing.states import DAY
from sheka.systems.clearing.totals import Total, entries_of, totals_of
from sheka.systems.clearing.waiting import day_netted


@action(Permission.CLEARING_NET)
def net_day(actor: Actor, *, day: Day) -> list[Net]:
    """One row an institution; the sum is the net of the day. Only a flat day is netted, and only when the documents of
    the day (card transactions and transfers) add up to the entries of the ledger, institution by institution.

    Raises Refused: STATE_FORBIDS, CLEARING_NOT_FLAT, CLEARING_ENTRIES_DIFFER, ORGANISATION_OUT_OF_REACH.
    """
    actor.must_act_for(day.organisation_id)
    day = Day.objects.select_for_update(of=("self",)).get(pk=day.pk)
    state = DAY.after(day.state, "net")
    if day.differences:
        raise Refused(Code.CLEARING_NOT_FLAT, day=day.settlement_date.isoformat(), count=day.differences)
    totals = totals_of(day.window, day.organisation_id)
    _must_be_the_ledgers(day, totals)
    nets = Net.objects.bulk_create(
        Net(
            day=day,
            institution_id=total.institution_id,
            count=total.count,
            purchases=total.purchases,
            reversals=total.reversals,
            adjusted=total.adjusted,
            adjustments=total.adjustments,
            amount=total.amount,
        )
        for total in totals
    )
    day.state, day.netted_at = state, timezone.now()
    day.save(update_fields=["state", "netted_at"])
    day_netted(actor, day)
    owed = sum(net.amount for net in nets)
    record(
        actor,
        "clearing.netted",
        f"day:{day.organisation_id}:{day.settlement_date.isoformat()}",
        institutions=len(nets),
        owed=owed,
        adjustments=sum(net.adjustments for net in nets),
    )
    return nets


def _must_be_the_ledgers(day: Day, totals: list[Total]) -> None:
    """Nothing is owed that the ledger does not say: money fails closed. Raises Refused(CLEARING_ENTRIES_DIFFER)."""
    booked = entries_of(day.window, day.organisation_id)
    for total in totals:
        if booked.pop(total.institution_id, 0) != total.amount:
            raise Refused(Code.CLEARING_ENTRIES_DIFFER, day=day.settlement_date.isoformat(), institution=total.code)
    if any(booked.values()):
        raise Refused(Code.CLEARING_ENTRIES_DIFFER, day=day.settlement_date.isoformat(), institution="—")
