"""Generate the approved root keys inside the machine: a step of a key ceremony (K2, K3, K6)."""

from __future__ import annotations

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.actions.carry_out import carry_out
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.catalogue import machine_name
from sheka.systems.keys.life import lock_keys, move, must_be_ceremony
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.matters import GENERATE
from sheka.systems.keys.models import Key


@action(Permission.KEY_CARRY_OUT)
def generate_keys(actor: Actor, *, proposal_id: int) -> list[Key]:
    """Carry out an approved proposal.

    A key that is in the machine already is taken up: one that custodians entered by components in this ceremony, or
    one that was made before an interruption. Raises Refused: KEY_NOT_IN_CEREMONY, KEY_MADE_OTHERWISE, what
    `carry_out` refuses, and the refusals of the machine.
    """
    must_be_ceremony(actor)
    payload = carry_out(actor, proposal_id=proposal_id, kind=GENERATE)
    algorithm, version = Algorithm(payload["algorithm"]), int(payload["version"])
    keys = lock_keys(actor, payload["names"], algorithm, version)
    device = machine_of(actor.organisation)
    own = [info for info in device.list_keys() if info.owner == actor.organisation and not info.destroyed]
    present = {(info.name, info.version): info for info in own}
    for key in keys:
        info = _made(device, key, present.get((machine_name(key.name, algorithm), version)))
        key.reference, key.check_value = info.ref, info.check_value
    move(actor, keys, "generate", "reference", "check_value", about=actor.name)
    values = {key.name: key.check_value for key in keys}
    record(actor, "key.generated", f"keys:{actor.organisation}", algorithm=algorithm.name, version=version, keys=values)
    return keys


def _made(device: EncryptionMachine, key: Key, present: KeyInfo | None) -> KeyInfo:
    algorithm, usage = Algorithm(key.algorithm), Usage(key.usage)
    if present is None:
        return device.generate(
            machine_name(key.name, algorithm),
            algorithm,
            usage,
            version=key.version,
            owner=key.organisation_id,
            diversified=usage is not Usage.DIVERSIFY,
        )
    if present.algorithm is not algorithm or present.usage is not usage:
        raise Refused(Code.KEY_MADE_OTHERWISE, name=present.name)
    return present
