"""Derive the sub-keys of a subordinate and send them to its machine (K2)."""

from __future__ import annotations

import base64
import uuid

from django.utils import timezone

from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.catalogue import factor_for, machine_name, usage_at
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Delivery, Key, Machine
from sheka.systems.keys.waiting import subkeys_sent


@action(Permission.KEY_DISTRIBUTE)
def distribute_keys(actor: Actor, *, to: str, algorithm: int, version: int = 1) -> list[Delivery]:
    """Every key of the actor's organisation, diversified by the factor of `to` and sealed for its machine.

    The sub-key leaves the machine only inside a signed SM2 envelope. It stays derived here, to be sent again.
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
    derived = {
        (info.name, info.version): info.ref
        for info in machine_of(actor.organisation).list_keys()
        if info.owner == to and info.algorithm == algorithm and not info.destroyed
    }
    factor = factor_for(below)
    sent = Delivery.objects.bulk_create([_seal(key, below, factor, recipient, derived) for key in keys])
    rows = [_row(delivery) for delivery in sent]
    send(actor.organisation, to, "keys.subkeys.sent", {"subkeys": rows})
    values = {delivery.name: delivery.check_value for delivery in sent}
    subkeys_sent(actor, below)
    record(actor, "key.distributed", f"keys:{to}", algorithm=algorithm, version=version, keys=values)
    return sent


def _seal(
    key: Key, below: Organisation, factor: bytes, recipient: Machine, derived: dict[tuple[str, int], str]
) -> Delivery:
    device = machine_of(key.organisation_id)
    label = machine_name(key.name, Algorithm(key.algorithm))
    reference = derived.get((label, key.version))
    if reference is None:
        usage = usage_at(below.kind, key.name)
        info = device.derive(
            key.reference,
            factor,
            name=label,
            owner=below.code,
            usage=usage,
            diversified=usage is not Usage.DIVERSIFY,
        )
    else:
        info = device.key(reference)
    envelope = device.export_envelope(info.ref, bytes.fromhex(recipient.public_key))
    return Delivery(
        number=uuid.uuid4(),
        held_by_id=key.organisation_id,
        sender=key.organisation_id,
        recipient=below.code,
        name=key.name,
        algorithm=key.algorithm,
        version=key.version,
        usage=info.usage,
        owner_level=key.owner_level,
        factor=factor.hex(),
        parent_check_value=key.check_value,
        check_value=info.check_value,
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
