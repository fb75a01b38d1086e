"""Import the sub-keys that a superior sent into one's own machine, and compare check values (K2)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.catalogue import machine_name
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Delivery, Key, Machine
from sheka.systems.keys.states import DELIVERY
from sheka.systems.keys.waiting import subkeys_imported


@action(Permission.KEY_IMPORT)
def import_keys(actor: Actor) -> list[Key]:
    """Import everything that was received and not yet imported; tell the sender the check values that were found.

    Raises Refused: KEY_NOTHING_RECEIVED, KEY_CHECK_VALUE (nothing is kept then), and the machine's own refusals.
    """
    place = organisation(actor.organisation)
    waiting = list(Delivery.objects.select_for_update().filter(held_by=place, state="received").order_by("name"))
    if not waiting:
        raise Refused(Code.KEY_NOTHING_RECEIVED, organisation=place.name)
    held = [_take(delivery, actor.organisation) for delivery in waiting]
    Key.objects.bulk_create(held)
    values = {str(delivery.number): key.check_value for delivery, key in zip(waiting, held, strict=True)}
    send(actor.organisation, waiting[0].sender, "keys.subkeys.imported", {"check_values": values})
    named = {key.name: key.check_value for key in held}
    subkeys_imported(actor)
    record(actor, "key.imported", f"keys:{place.code}", sender=waiting[0].sender, keys=named)
    return held


def _take(delivery: Delivery, owner: str) -> Key:
    sender = Machine.objects.filter(organisation_id=delivery.sender).first()
    if sender is None:
        raise Refused(Code.KEY_MACHINE_UNKNOWN, organisation=delivery.sender)
    device = machine_of(owner)
    label = machine_name(delivery.name, Algorithm(delivery.algorithm))
    info = device.import_envelope(bytes(delivery.envelope), bytes.fromhex(sender.public_key), name=label, owner=owner)
    if info.check_value != delivery.check_value:
        device.destroy(info.ref)
        raise Refused(Code.KEY_CHECK_VALUE, name=delivery.name, expected=delivery.check_value, got=info.check_value)
    delivery.state = DELIVERY.after(delivery.state, "import")
    delivery.save(update_fields=["state"])
    return Key(
        organisation_id=owner,
        name=delivery.name,
        algorithm=delivery.algorithm,
        version=delivery.version,
        usage=info.usage,
        owner_level=delivery.owner_level,
        reference=info.ref,
        check_value=info.check_value,
        origin="imported",
        came_from=delivery.sender,
        parent_check_value=delivery.parent_check_value,
        factor=delivery.factor,
        since=timezone.now(),
    )
