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
from sheka.systems.clearing.waiting import day_netted
from sheka.systems.transactions.queries import window_totals


@action(Permission.CLEARING_NET)
def net_day(actor: Actor, *, day: Day) -> list[Net]:
    """One row an institution; the sum is the net of the day. Only a flat day is netted.

    Raises Refused: STATE_FORBIDS, CLEARING_NOT_FLAT, ORGANISATION_OUT_OF_REACH.
    """
    actor.must_act_for(day.organisation_id)
    day = Day.objects.select_for_update(of=("self",)).get(pk=day.pk)
    state = DAY.after(day.state, "net")
    if day.differences:
        raise Refused(Code.CLEARING_NOT_FLAT, day=day.settlement_date.isoformat(), count=day.differences)
    nets = Net.objects.bulk_create(
        Net(
            day=day,
            institution_id=total.institution_id,
            count=total.count,
            purchases=total.purchases,
            reversals=total.reversals,
            amount=total.purchases - total.reversals,
        )
        for total in window_totals(day.window, day.organisation_id)
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
    )
    return nets
