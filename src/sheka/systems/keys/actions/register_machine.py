"""Make an organisation's encryption machine known to its superior and its subordinates, and trust theirs (K2)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Machine
from sheka.systems.keys.states import MACHINE


@action(Permission.KEY_DISTRIBUTE)
def register_machine(actor: Actor) -> Machine:
    """Read the device key of the actor's own machine and register it. Again is harmless: the same key stays.

    Another device key is another machine: it needs a certificate of its own, whatever the one before had (K4).
    """
    place = organisation(actor.organisation)
    device = machine_of(place.code)
    described = device.describe()
    row = Machine.objects.select_for_update().filter(organisation=place).first() or Machine(organisation=place)
    public_key = device.public_key().hex()
    if row.public_key and row.public_key != public_key:
        _replace(row)
    row.product, row.fingerprint, row.public_key = described.product, described.fingerprint, public_key
    row.registered_at = timezone.now()
    row.save()
    record(actor, "key.machine_registered", f"machine:{place.code}", fingerprint=row.fingerprint)
    return row


@action(Permission.KEY_DISTRIBUTE)
def trust_machine(actor: Actor, *, of: str, fingerprint: str) -> Machine:
    """Let keys go to the machine of a direct subordinate, or come from that of the direct superior.

    `fingerprint` is what the officer compared with the other side by another way.
    Raises Refused: KEY_MACHINE_UNKNOWN, KEY_FINGERPRINT, KEY_NOT_SUBORDINATE.
    """
    own, other = organisation(actor.organisation), organisation(of)
    if own.code not in {other.parent_id, other.code} and other.code != own.parent_id:
        raise Refused(Code.KEY_NOT_SUBORDINATE, organisation=other.name)
    row = Machine.objects.filter(organisation=other).first()
    if row is None:
        raise Refused(Code.KEY_MACHINE_UNKNOWN, organisation=other.name)
    if row.fingerprint != fingerprint:
        raise Refused(Code.KEY_FINGERPRINT, organisation=other.name)
    lower = other.code if other.parent_id == own.code else own.code
    machine_of(own.code).register_peer(other.code, bytes.fromhex(row.public_key), owner=lower)
    record(actor, "key.machine_trusted", f"machine:{other.code}", fingerprint=fingerprint)
    return row


def _replace(row: Machine) -> None:
    if row.state != MACHINE.initial:
        row.state = MACHINE.after(row.state, "replace")
    row.model = row.serial = row.certificate = row.document = ""
    row.level = row.valid_from = row.valid_until = row.production_until = row.warned_days = None
    row.stopped = []
