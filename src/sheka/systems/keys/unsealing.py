"""The seal of the reader's own encryption machine: how far its custodians have come, and a key for one entry (K6)."""

from __future__ import annotations

from sheka.equipment.encryption_machine.model import EntryKey, MachineInfo
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.machines import machine_of


def seal_of(actor: Actor) -> MachineInfo:
    """What the machine says of its seal. Raises Refused: NODE_MACHINE_UNKNOWN, MACHINE_UNREACHABLE."""
    return machine_of(actor.organisation).describe()


def entry_key_for(actor: Actor) -> EntryKey:
    """A one-time key to which a custodian seals a share. Raises Refused(PERMISSION_MISSING) and as above."""
    actor.require(Permission.MACHINE_UNSEAL)
    return machine_of(actor.organisation).entry_key()
