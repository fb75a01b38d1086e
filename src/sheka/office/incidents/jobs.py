"""The turns of incidents: clocks every minute, plans that need a drill every day (K9)."""

from __future__ import annotations

import logging

from django.db.models import F, Q
from django.utils import timezone

from sheka.foundation.refusals import Refused
from sheka.office.incidents.actions.call_drills import call_drills
from sheka.office.incidents.actions.watch_clocks import watch_clocks
from sheka.office.incidents.models import Incident, Plan
from sheka.office.incidents.states import RUNNING
from sheka.office.jobs.registry import periodic
from sheka.office.staff.actors import Actor

log = logging.getLogger("sheka.incidents")


@periodic("incidents.clocks", cron="* * * * *")
def watch() -> None:
    """Every copy for which something has become due, each in a transaction of its own; one that fails holds up none."""
    now, failure = timezone.now(), None
    at_origin = Q(origin=F("organisation_id"), state__in=RUNNING)
    due = (
        Q(receipts__escalates_at__lte=now, receipts__read_at__isnull=True)
        | at_origin & Q(deadlines__due_at__lte=now, deadlines__met_at__isnull=True, deadlines__told_at__isnull=True)
        | at_origin & Q(affected__state="failed", affected__next_try_at__lte=now)
        | at_origin & Q(follow_ups__state="failed", follow_ups__next_try_at__lte=now)
    )
    rows = Incident.objects.filter(due).order_by("pk").values_list("pk", "organisation_id").distinct()
    for key, code in list(rows):
        try:
            watch_clocks(Actor.process("incidents", code), incident_id=key)
        except Refused as refusal:
            log.exception("the clocks of incident %s", key)
            failure = refusal
    if failure is not None:
        raise failure


@periodic("incidents.drills", cron="10 22 * * *")
def drills() -> None:
    """Where plans are in force, those that were not exercised for long are put before who keeps them."""
    for code in Plan.objects.order_by().values_list("organisation_id", flat=True).distinct():
        call_drills(Actor.process("incidents", code))
