"""Sum the seconds of the switch by the minute, and let go what is older than it is kept (S4; docs/adr/0031)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

SECONDS_KEPT = timedelta(hours=48)
MINUTES_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Rolled:
    """Minutes of a process that were summed, and rows that went."""

    summed: int
    gone: int


@action(Permission.JOB_MANAGE)
def roll_pulses(actor: Actor) -> Rolled:
    """What was summed is not summed again."""
    with whole_node("a process answers for every organisation of the node"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT summed, gone FROM transactions_roll_pulses(%s, %s, %s)",
            [timezone.now(), SECONDS_KEPT, MINUTES_KEPT],
        )
        summed, gone = cursor.fetchone()
    record(actor, "pulses.rolled", "switch:pulses", summed=summed, gone=gone)
    return Rolled(summed, gone)
