"""Derive the sub-keys of a subordinate and write them, sealed for its machine, to a transmission key card (K2, K5)."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.sm3 import sm3
from sheka.office.actions import action
from sheka.office.approvals.actions.carry_out import carry_out
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.actions.content import fill_carrier
from sheka.systems.keys.actions.propose_key_step import recipient_of
from sheka.systems.keys.carriers import empty_transmission_card, write_card
from sheka.systems.keys.catalogue import factor_for, machine_name, usage_at
from sheka.systems.keys.life import lock_keys, must_be_ceremony, must_work
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.matters import EXPORT
from sheka.systems.keys.models import Consignment, Key
from sheka.systems.keys.states import WORKING
from sheka.systems.keys.waiting import consignment_loaded


@action(Permission.KEY_CARRY_OUT)
def export_keys(actor: Actor, *, proposal_id: int, carrier: str, reader: Reader, pin: str) -> Consignment:
    """Carry out an approved export: every sub-key leaves the machine only inside a signed SM2 envelope for the machine
    of the recipient, and the envelopes are written to the card in the reader.

    The recipient is told names, check values and the digests of the envelopes by message, so that what arrives is
    compared with what was sent by another way. An interrupted export is done again with the same card.
    Raises Refused: KEY_NOT_IN_CEREMONY, KEY_NOT_SUBORDINATE (nobody skips a level), KEY_MACHINE_UNKNOWN, KEY_SUSPENDED,
    KEY_NOT_ACTIVE, KEY_CARRIER_KIND, KEY_CARRIER_OTHER, what custody, machine and card refuse.
    """
    must_be_ceremony(actor)
    payload = carry_out(actor, proposal_id=proposal_id, kind=EXPORT)
    algorithm, version = Algorithm(payload["algorithm"]), int(payload["version"])
    below, machine = recipient_of(actor, payload["to"])
    keys = lock_keys(actor, payload["names"], algorithm, version)
    for key in keys:
        must_work(key, WORKING)
    empty_transmission_card(actor, carrier)
    sealed = _sealed(keys, below, bytes.fromhex(machine.public_key))
    write_card(
        actor, reader, carrier, pin, [envelope for _, envelope in sealed], f"{below.code} {algorithm.name} {version}"
    )
    made = Consignment.objects.create(
        number=uuid.uuid4(),
        held_by_id=actor.organisation,
        sender=actor.organisation,
        recipient=below.code,
        algorithm=algorithm,
        version=version,
        carrier=carrier,
        content=[row for row, _ in sealed],
        state="loaded",
        loaded_at=timezone.now(),
        since=timezone.now(),
    )
    send(actor.organisation, below.code, "keys.consignment.loaded", _announcement(made))
    consignment_loaded(actor, made, below)
    values = {row["name"]: row["check_value"] for row, _ in sealed}
    alike = {"version": version, "algorithm": algorithm.name}
    fill_carrier(actor, carrier, [{"name": name, "check_value": value, **alike} for name, value in values.items()])
    record(actor, "key.exported", made.subject, to=below.code, carrier=carrier, algorithm=algorithm.name, keys=values)
    return made


def _sealed(keys: list[Key], below: Organisation, recipient: bytes) -> list[tuple[dict[str, Any], bytes]]:
    """What is told about each sub-key, and its envelope."""
    device, factor = machine_of(keys[0].organisation_id), factor_for(below)
    derived = {
        (info.name, info.version): info.ref
        for info in device.list_keys()
        if info.owner == below.code and not info.destroyed
    }
    found = []
    for key in keys:
        label = machine_name(key.name, Algorithm(key.algorithm))
        known = derived.get((label, key.version))
        info = device.key(known or _derive(device, key, label, below, factor))
        envelope = device.export_envelope(info.ref, recipient)
        row = {
            "name": key.name,
            "usage": str(info.usage),
            "owner_level": key.owner_level,
            "factor": factor.hex(),
            "parent_check_value": key.check_value,
            "check_value": info.check_value,
            "digest": sm3(envelope).hex(),
        }
        found.append((row, envelope))
    return found


def _derive(device: EncryptionMachine, key: Key, label: str, below: Organisation, factor: bytes) -> str:
    usage = usage_at(below.kind, key.name)
    made = device.derive(
        key.reference, factor, name=label, owner=below.code, usage=usage, diversified=usage is not Usage.DIVERSIFY
    )
    return made.ref


def _announcement(made: Consignment) -> dict[str, Any]:
    return {
        "number": str(made.number),
        "carrier": made.carrier,
        "algorithm": made.algorithm,
        "version": made.version,
        "content": made.content,
    }
