"""Take the sub-keys on a carrier into one's own machine and compare check values: a step of a ceremony (K2)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.model import KeyInfo
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.seats import place_term
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.queries import carrier_in_hand
from sheka.systems.keys.carriers import read_card
from sheka.systems.keys.catalogue import factor_for, machine_name
from sheka.systems.keys.consignments import consignment_on, follow, step
from sheka.systems.keys.life import keep_moves, must_be_ceremony
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Consignment, Key, Machine
from sheka.systems.keys.states import KEY
from sheka.systems.keys.waiting import consignment_ended

ENDED = {
    "imported": Code.KEY_CONSIGNMENT_IMPORTED,
    "lost": Code.KEY_CONSIGNMENT_LOST,
    "disputed": Code.KEY_ENVELOPE_OTHER,
}


@action(Permission.KEY_CARRY_OUT)
def import_keys(actor: Actor, *, carrier: str, reader: Reader, pin: str) -> list[Key]:
    """Everything on the card, or nothing; the sender is told the check values that the machine found.

    What an interrupted import brought into the machine is taken up. Raises Refused: KEY_NOT_IN_CEREMONY,
    KEY_CONSIGNMENT_UNKNOWN, KEY_CONSIGNMENT_IMPORTED, KEY_CONSIGNMENT_LOST, KEY_OTHER_REGION, KEY_CARRIER_OTHER,
    KEY_ENVELOPE_OTHER, KEY_CHECK_VALUE (nothing is kept then), what custody, machine and card refuse.
    """
    must_be_ceremony(actor)
    found = _wanted(actor, carrier)
    envelopes = read_card(actor, reader, carrier, pin)
    if [sm3(envelope).hex() for envelope in envelopes] != [row["digest"] for row in found.content]:
        raise Refused(Code.KEY_ENVELOPE_OTHER, carrier=carrier)
    infos = _taken_in(found, envelopes, actor.organisation)
    keys = Key.objects.bulk_create(
        _key(found, row, info, actor.organisation) for row, info in zip(found.content, infos, strict=True)
    )
    keep_moves(actor, keys, "import", found.subject)
    step(found, "import")
    values = {key.name: key.check_value for key in keys}
    told = {"number": str(found.number), "check_values": values}
    send(actor.organisation, found.sender, "keys.consignment.imported", told)
    consignment_ended(actor, found)
    record(actor, "key.imported", found.subject, sender=found.sender, carrier=carrier, keys=values)
    return keys


def _wanted(actor: Actor, carrier: str) -> Consignment:
    """The consignment on this carrier, in the hands of its recipient and made for its region."""
    found, place = consignment_on(actor, carrier), organisation(actor.organisation)
    if found.state in ENDED:
        raise Refused(ENDED[found.state], carrier=carrier)
    names = [row["name"] for row in found.content]
    held = Key.objects.filter(organisation_id=place.code, algorithm=found.algorithm, version=found.version)
    if held.filter(name__in=names).exists():
        raise Refused(Code.KEY_CONSIGNMENT_IMPORTED, carrier=carrier)
    carrier_in_hand(actor, carrier)
    verb = follow(actor, found)
    if verb:
        step(found, verb)
    factors, own = {row["factor"] for row in found.content}, factor_for(place).hex()
    if factors != {own}:
        raise Refused(
            Code.KEY_OTHER_REGION,
            organisation=place_term(place.code),
            expected=own,
            got=", ".join(sorted(factors)),
        )
    return found


def _taken_in(found: Consignment, envelopes: list[bytes], owner: str) -> list[KeyInfo]:
    """Every envelope in the machine, with the check value that was announced; else none of them."""
    sender = Machine.objects.filter(organisation_id=found.sender).first()
    if sender is None:
        raise Refused(Code.KEY_MACHINE_UNKNOWN, organisation=found.sender)
    device, public_key = machine_of(owner), bytes.fromhex(sender.public_key)
    algorithm = Algorithm(found.algorithm)
    known = {
        (info.name, info.version): info
        for info in device.list_keys()
        if info.owner == owner and info.origin == "imported" and not info.destroyed
    }
    infos: list[KeyInfo] = []
    for row, envelope in zip(found.content, envelopes, strict=True):
        label = machine_name(row["name"], algorithm)
        info = known.get((label, found.version)) or device.import_envelope(
            envelope, public_key, name=label, owner=owner
        )
        infos.append(info)
        if (info.check_value, info.version) != (row["check_value"], found.version):
            _drop(device, infos)
            raise Refused(Code.KEY_CHECK_VALUE, name=row["name"], expected=row["check_value"], got=info.check_value)
    return infos


def _drop(device: EncryptionMachine, infos: list[KeyInfo]) -> None:
    for info in infos:
        device.destroy(info.ref)


def _key(found: Consignment, row: dict[str, Any], info: KeyInfo, owner: str) -> Key:
    return Key(
        organisation_id=owner,
        name=row["name"],
        algorithm=found.algorithm,
        version=found.version,
        usage=info.usage,
        owner_level=row["owner_level"],
        reference=info.ref,
        check_value=info.check_value,
        origin="imported",
        came_from=found.sender,
        parent_check_value=row["parent_check_value"],
        factor=row["factor"],
        state=KEY.after(KEY.initial, "import"),
        since=timezone.now(),
    )
