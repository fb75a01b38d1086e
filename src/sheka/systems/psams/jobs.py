"""Turns by the clock: what custody and the switch know of PSAMs is taken over every minute (K8, K9)."""

from __future__ import annotations

from sheka.office.jobs.registry import periodic
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import BUREAUS
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.systems.psams.actions.follow_custody import follow_custody, take_switch_alarms
from sheka.systems.psams.queries import places_to_follow


@periodic("psams.follow", cron="* * * * *")
def follow() -> None:
    """Every bureau of the node that has something to take over, each in actions of its own."""
    with whole_node("custody and the switch tell of every organisation of the node"):
        for code in places_to_follow(Organisation.objects.filter(kind__in=BUREAUS).values_list("code", flat=True)):
            actor = Actor.process("psams", code)
            follow_custody(actor)
            take_switch_alarms(actor)
