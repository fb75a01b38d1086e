"""Take the carrier maker's master keys into one's own machine: with them it talks to key carrier cards (K5, K6)."""

from __future__ import annotations

from django.utils import timezone

from sheka.equipment.encryption_machine.model import KeyInfo
from sheka.equipment.initialisation.device_keys import take_in
from sheka.equipment.initialisation.maker import ChipMaker
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.life import keep_moves
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Key


@action(Permission.KEY_IMPORT)
def import_carrier_keys(actor: Actor, *, maker: ChipMaker) -> list[Key]:
    """They come in the maker's signed envelopes, and their check values must be those that the maker tells.

    What is in the machine already stays as it is. Raises Refused: DEVICE_KEY_DIFFERS, the refusals of the machine.
    """
    taken = take_in(machine_of(actor.organisation), maker)
    keys = Key.objects.bulk_create(_key(info, maker.name, actor.organisation) for info in taken)
    keep_moves(actor, keys, "import", maker.name)
    values = {key.name: key.check_value for key in keys}
    record(actor, "key.carrier_keys_imported", f"keys:{actor.organisation}", maker=maker.name, keys=values)
    return keys


def _key(info: KeyInfo, maker: str, owner: str) -> Key:
    return Key(
        organisation_id=owner,
        name=f"{info.name.partition('-')[0]}:{maker}",
        algorithm=info.algorithm,
        version=info.version,
        usage=info.usage,
        owner_level="carrier",
        reference=info.ref,
        check_value=info.check_value,
        origin="imported",
        came_from=maker,
        state="active",
        since=timezone.now(),
    )
