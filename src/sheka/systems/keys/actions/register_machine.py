"""Make an organisation's encryption machine known to its superior and its subordinates."""

from __future__ import annotations

from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Machine


@action(Permission.KEY_DISTRIBUTE)
def register_machine(actor: Actor) -> Machine:
    """Read the device key of the actor's own machine and register it. Again is harmless: the same key stays."""
    place = organisation(actor.organisation)
    device = machine_of(place.code)
    described = device.describe()
    row, _ = Machine.objects.update_or_create(
        organisation=place,
        defaults={
            "name": described.name,
            "public_key": device.public_key().hex(),
            "registered_at": timezone.now(),
        },
    )
    record(actor, "key.machine_registered", f"machine:{place.code}", name=row.name, public_key=row.public_key)
    return row
