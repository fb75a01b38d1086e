"""Check the seals of the hot path, and write down that it was done (design §2.4)."""

from __future__ import annotations

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.anchors import verify_anchors
from sheka.systems.transactions.queries import SealFault, verify_seals


@action(Permission.TRANSACTION_VERIFY)
def check_seals(actor: Actor) -> list[SealFault]:
    """Recompute the seals and the anchors over them; the faults found (none: they hold) are audited."""
    faults = verify_seals() + verify_anchors()
    record(
        actor, "seals.verified", "seals:transactions", faults=[fault.fault for fault in faults[:20]], count=len(faults)
    )
    return faults
