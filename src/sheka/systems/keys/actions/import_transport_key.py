"""Take a chip maker's master transport key into the city's machine: with it blank chips are opened (H3, K6)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.life import keep_moves
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Key
from sheka.systems.keys.queries import transport_key_name


@action(Permission.KEY_IMPORT)
def import_transport_key(
    actor: Actor, *, maker: str, public_key: bytes, envelope: bytes, algorithm: Algorithm, check_value: str
) -> Key:
    """`check_value` is what the maker's officer read out by another way; the envelope's key must have it.

    Raises Refused: KEY_CHECK_VALUE (nothing is kept then), and the refusals of the machine.
    """
    device = machine_of(actor.organisation)
    if maker not in {peer.name for peer in device.peers()}:
        device.register_peer(maker, public_key, maker)
    info = device.import_envelope(envelope, public_key, owner=maker)
    if info.check_value != check_value or info.algorithm != algorithm:
        device.destroy(info.ref)
        raise Refused(Code.KEY_CHECK_VALUE, name=info.name, expected=check_value, got=info.check_value)
    key = Key.objects.create(
        organisation_id=actor.organisation,
        name=transport_key_name(maker),
        algorithm=algorithm,
        version=info.version,
        usage=info.usage,
        owner_level="maker",
        reference=info.ref,
        check_value=info.check_value,
        origin="imported",
        came_from=maker,
        state="active",
        since=timezone.now(),
    )
    keep_moves(actor, [key], "import", maker)
    record(actor, "key.transport_imported", f"keys:{actor.organisation}", maker=maker, keys={key.name: key.check_value})
    return key
