"""A custodian presents a share to the organisation's own encryption machine (K6)."""

from __future__ import annotations

from sheka.equipment.encryption_machine.model import Progress
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.machines import machine_of


@action(Permission.MACHINE_UNSEAL)
def unseal_machine(actor: Actor, *, holder: int, entry: bytes, sealed: bytes) -> Progress:
    """Hand in the share of holder 1 … n, sealed to the entry key `entry` in the custodian's browser.

    The machine's own log has it whatever becomes of this transaction. Raises Refused: MACHINE_SHARE_WRONG,
    MACHINE_SHARE_VOID, MACHINE_NOT_SEALED, MACHINE_ENTRY_UNKNOWN, MACHINE_ENTRY_UNREADABLE, MACHINE_UNREACHABLE.
    """
    progress = machine_of(actor.organisation).unseal(holder, entry, sealed)
    event = "machine.share_presented" if progress.sealed else "machine.unsealed"
    record(
        actor,
        event,
        f"machine:{actor.organisation}",
        holder=holder,
        presented=progress.presented,
        needed=progress.needed,
    )
    return progress
