"""Propose to generate the root keys that belong to one's own level (K2, K3); others decide (K6)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.catalogue import check_version, generated_at, usage_at
from sheka.systems.keys.life import keep_moves
from sheka.systems.keys.matters import GENERATE
from sheka.systems.keys.models import Key


@action(Permission.KEY_PROPOSE)
def propose_generation(
    actor: Actor, *, algorithm: Algorithm, version: int = 1, names: Sequence[str] | None = None
) -> Proposal:
    """Freeze names, algorithm and version; the keys stand in the register as planned from now on.

    Without `names`: every key of the level. A higher version than the one in use is a rotation.
    Raises Refused: KEY_VERSION, KEY_NAMES for keys of another level or made already.
    """
    place = organisation(actor.organisation)
    own = generated_at(place.kind)
    wanted = own if names is None else [name for name in own if name in set(names)]
    check_version(version)
    made = Key.objects.filter(organisation=place, algorithm=algorithm, version=version)
    taken = set(made.exclude(state="planned").values_list("name", flat=True))
    foreign = set(names or ()) - set(own)
    if not wanted or foreign or taken & set(wanted):
        raise Refused(Code.KEY_NAMES, names=", ".join(sorted(foreign | taken & set(wanted))) or "—")
    planned = set(made.values_list("name", flat=True))
    fresh = [_planned(place.code, place.kind, name, algorithm, version) for name in wanted if name not in planned]
    keep_moves(actor, Key.objects.bulk_create(fresh), "plan")
    payload = {"names": wanted, "algorithm": int(algorithm), "version": version}
    return propose(actor, kind=GENERATE, subject=f"keys:{place.code}:{algorithm.name}:{version}", payload=payload)


def _planned(code: str, level: str, name: str, algorithm: Algorithm, version: int) -> Key:
    return Key(
        organisation_id=code,
        name=name,
        algorithm=algorithm,
        version=version,
        usage=usage_at(level, name),
        owner_level=level,
        origin="generated",
        since=timezone.now(),
    )
