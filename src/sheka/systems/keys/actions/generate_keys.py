"""Generate the approved root keys inside the machine (K2, K3, K6)."""

from __future__ import annotations

from django.utils import timezone

from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.actions import action
from sheka.office.approvals.actions.carry_out import carry_out
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.catalogue import machine_name, usage_at
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.matters import GENERATE
from sheka.systems.keys.models import Key


@action(Permission.KEY_PROPOSE)
def generate_keys(actor: Actor, *, proposal_id: int) -> list[Key]:
    """Carry out an approved proposal. A key that the machine made before an interruption is taken up."""
    payload = carry_out(actor, proposal_id=proposal_id, kind=GENERATE)
    algorithm, version = Algorithm(payload["algorithm"]), int(payload["version"])
    level = organisation(actor.organisation).kind
    device = machine_of(actor.organisation)
    own = [info for info in device.list_keys() if info.owner == actor.organisation and not info.destroyed]
    present = {(info.name, info.version): info for info in own}
    made = []
    for name in payload["names"]:
        label, usage = machine_name(name, algorithm), usage_at(level, name)
        info = present.get((label, version)) or device.generate(
            label, algorithm, usage, version=version, owner=actor.organisation, diversified=usage is not Usage.DIVERSIFY
        )
        made.append(
            Key(
                organisation_id=actor.organisation,
                name=name,
                algorithm=algorithm,
                version=version,
                usage=info.usage,
                owner_level=level,
                reference=info.ref,
                check_value=info.check_value,
                origin="generated",
                since=timezone.now(),
            )
        )
    made = Key.objects.bulk_create(made)
    values = {key.name: key.check_value for key in made}
    record(actor, "key.generated", f"keys:{actor.organisation}", algorithm=algorithm.name, version=version, keys=values)
    return made
