"""The turns of the transactions: new seals under one root every minute, the pulse of the switch by the minute."""

from __future__ import annotations

from django.conf import settings

from sheka.office.jobs.registry import periodic
from sheka.office.staff.actors import Actor
from sheka.systems.transactions.actions.anchor_seals import anchor_seals
from sheka.systems.transactions.actions.roll_pulses import roll_pulses
from sheka.systems.transactions.anchors import new_seals


@periodic("transactions.anchor", cron="* * * * *")
def anchor() -> None:
    """Nothing new, nothing written."""
    if new_seals():
        anchor_seals(Actor.process("anchor", settings.NODE.organisations[0]))


@periodic("transactions.pulses", cron="*/10 * * * *")
def pulses() -> None:
    """Seconds become minutes; both go when they are old."""
    roll_pulses(Actor.process("switch", settings.NODE.organisations[0]))
