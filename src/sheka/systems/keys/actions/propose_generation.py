"""Propose to generate the root keys that belong to one's own level (K2, K3); others decide (K6)."""

from __future__ import annotations

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.catalogue import generated_at
from sheka.systems.keys.matters import GENERATE


@action(Permission.KEY_PROPOSE)
def propose_generation(actor: Actor, *, algorithm: Algorithm, version: int = 1) -> Proposal:
    """Freeze the list of names, algorithm and version."""
    place = organisation(actor.organisation)
    payload = {"names": generated_at(place.kind), "algorithm": int(algorithm), "version": version}
    return propose(actor, kind=GENERATE, subject=f"keys:{place.code}:{algorithm.name}:{version}", payload=payload)
