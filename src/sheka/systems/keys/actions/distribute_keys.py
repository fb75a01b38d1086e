"""Derive the sub-keys of a subordinate and send them to its machine (K2)."""

from __future__ import annotations

import base64
import uuid

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.catalogue import factor_for
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Delivery, Key, Machine


@action(Permission.KEY_DISTRIBUTE)
def distribute_keys(actor: Actor, *, to: str, algorithm: int, version: int = 1) -> list[Delivery]:
    """Every key of the actor's organisation, diversified by the factor of `to` and sealed for its machine.

    The sub-key leaves the machine only inside a signed SM2 envelope; the copy that was derived here is destroyed.
    Raises Refused: KEY_NOT_SUBORDINATE (nobody skips a level), KEY_MACHINE_UNKNOWN, KEY_SET_EMPTY.
    """
    below = organisation(to)
    if below.parent_id != actor.organisation:
        raise Refused(Code.KEY_NOT_SUBORDINATE, organisation=below.name)
    recipient = Machine.objects.filter(organisation=below).first()
    if recipient is None:
        raise Refused(Code.KEY_MACHINE_UNKNOWN, organisation=below.name)
    keys = Key.objects.filter(organisation_id=actor.organisation, algorithm=algorithm, version=version, state="active")
    if not keys:
        raise Refused(Code.KEY_SET_EMPTY, organisation=actor.organisation)
    sent = Delivery.objects.bulk_create([_seal(key, below.code, factor_for(below), recipient) for key in keys])
    rows = [_row(delivery) for delivery in sent]
    send(actor.organisation, to, "keys.subkeys.sent", {"subkeys": rows})
    values = {delivery.name: delivery.check_value for delivery in sent}
    record(actor, "key.distributed", f"keys:{to}", algorithm=algorithm, version=version, keys=values)
    return sent


def _seal(key: Key, to: str, factor: bytes, recipient: Machine) -> Delivery:
    device = machine_of(key.organisation_id)
    derived = device.derive(key.reference, factor, name=f"{key.name}>{to}>{uuid.uuid4().hex[:8]}", owner=to)
    try:
        envelope = device.export_envelope(derived.ref, bytes.fromhex(recipient.public_key))
    finally:
        device.destroy(derived.ref)
    return Delivery(
        number=uuid.uuid4(),
        held_by_id=key.organisation_id,
        sender=key.organisation_id,
        recipient=to,
        name=key.name,
        algorithm=key.algorithm,
        version=key.version,
        usage=key.usage,
        owner_level=key.owner_level,
        factor=factor.hex(),
        parent_check_value=key.check_value,
        check_value=derived.check_value,
        envelope=envelope,
        state="sent",
        at=timezone.now(),
    )


def _row(delivery: Delivery) -> dict[str, object]:
    named = ("name", "algorithm", "version", "usage", "owner_level", "factor", "parent_check_value", "check_value")
    return {
        "number": str(delivery.number),
        "envelope": base64.b64encode(delivery.envelope).decode(),
        **{name: getattr(delivery, name) for name in named},
    }
