"""Put generated or imported keys into use: a step of a key ceremony (K1, K6)."""

from __future__ import annotations

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.actions import action
from sheka.office.approvals.actions.carry_out import carry_out
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.life import lock_keys, move, must_be_ceremony
from sheka.systems.keys.matters import ACTIVATE
from sheka.systems.keys.models import Key
from sheka.systems.keys.waiting import version_active


@action(Permission.KEY_CARRY_OUT)
def activate_keys(actor: Actor, *, proposal_id: int) -> list[Key]:
    """From now on new cards get this version, once every key of the set is active; cards with an older one go on.

    Raises Refused: KEY_NOT_IN_CEREMONY, STATE_FORBIDS, what `carry_out` refuses.
    """
    must_be_ceremony(actor)
    payload = carry_out(actor, proposal_id=proposal_id, kind=ACTIVATE)
    algorithm, version = Algorithm(payload["algorithm"]), int(payload["version"])
    keys = move(actor, lock_keys(actor, payload["names"], algorithm, version), "activate", about=actor.name)
    version_active(actor, algorithm, version)
    values = {key.name: key.check_value for key in keys}
    record(actor, "key.activated", f"keys:{actor.organisation}", algorithm=algorithm.name, version=version, keys=values)
    return keys
