"""Wipe retired keys from the machine, with the sub-keys derived from them there: a step of a key ceremony (K1, K6)."""

from __future__ import annotations

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.actions import action
from sheka.office.approvals.actions.carry_out import carry_out
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.life import lock_keys, move, must_be_ceremony
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.matters import DESTROY
from sheka.systems.keys.models import Key


@action(Permission.KEY_CARRY_OUT)
def destroy_keys(actor: Actor, *, proposal_id: int) -> list[Key]:
    """Nothing brings the keys back; what is known about them stays. What an interruption left is wiped the next time.

    Raises Refused: KEY_NOT_IN_CEREMONY, STATE_FORBIDS unless retired, what `carry_out` and the machine refuse.
    """
    must_be_ceremony(actor)
    payload = carry_out(actor, proposal_id=proposal_id, kind=DESTROY)
    algorithm, version = Algorithm(payload["algorithm"]), int(payload["version"])
    keys = move(actor, lock_keys(actor, payload["names"], algorithm, version), "destroy", about=actor.name)
    device = machine_of(actor.organisation)
    doomed = {key.reference for key in keys}
    for info in device.list_keys():
        if (info.ref in doomed or info.parent in doomed) and not info.destroyed:
            device.destroy(info.ref)
    values = {key.name: key.check_value for key in keys}
    record(actor, "key.destroyed", f"keys:{actor.organisation}", algorithm=algorithm.name, version=version, keys=values)
    return keys
