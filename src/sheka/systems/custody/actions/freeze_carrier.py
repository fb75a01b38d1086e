"""Stop a carrier because of an incident, and let it go again (K9)."""

from __future__ import annotations

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.ledger import lock_carrier, move, note
from sheka.systems.custody.models import Carrier
from sheka.systems.custody.states import CARRIER
from sheka.systems.custody.waiting import to_be_checked

OUTSIDE = {"in_transit": "thaw_in_transit", "entrusted": "thaw_entrusted"}


@action(Permission.INCIDENT_HANDLE)
def freeze_carrier(actor: Actor, serial: str, incident: str) -> Carrier:
    """Frozen from now on; one that is lost, frozen, destroyed or elsewhere is stopped here already.

    Raises Refused(CARRIER_UNKNOWN).
    """
    found = lock_carrier(actor, serial)
    if "freeze" in CARRIER.verbs(found.state):
        found.state_before = found.state
        move(actor, [found], "freeze", "frozen", incident=incident)
        note(actor, "frozen", [found], incident=incident)
    else:
        record(actor, "carrier.frozen", found.subject, incident=incident, state=found.state)
    return found


@action(Permission.INCIDENT_HANDLE)
def thaw_carrier(actor: Actor, serial: str, incident: str) -> Carrier:
    """Where it lay it is looked at before it is used again; on its way or at a third party it goes on.

    One that is lost stays lost. Raises Refused(CARRIER_UNKNOWN).
    """
    found = lock_carrier(actor, serial)
    if found.state == "frozen":
        verb = OUTSIDE.get(found.state_before, "thaw")
        found.state_before = ""
        move(actor, [found], verb, "thawed", incident=incident)
        if found.state == "returned":
            to_be_checked(actor, found)
        note(actor, "thawed", [found], incident=incident)
    else:
        record(actor, "carrier.thawed", found.subject, incident=incident, state=found.state)
    return found
