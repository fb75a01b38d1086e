"""Propose what happens to keys that exist: export to a level below, activation, retirement, destruction (K2, K6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.organisations.models import Kind, Organisation
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.matters import ACTIVATE, DESTROY, EXPORT, RETIRE
from sheka.systems.keys.models import Key, Machine
from sheka.systems.keys.retirement import must_be_unused
from sheka.systems.keys.states import KEY, WORKING


@action(Permission.KEY_DISTRIBUTE)
def propose_export(
    actor: Actor, *, to: str, algorithm: Algorithm, version: int = 1, names: Sequence[str] | None = None
) -> Proposal:
    """The sub-keys of one algorithm and version for a direct subordinate; without `names` of every key held.

    Raises Refused: KEY_NOT_SUBORDINATE, KEY_MACHINE_UNKNOWN, KEY_SET_EMPTY, KEY_NAMES.
    """
    recipient_of(actor, to)
    chosen = _held(actor, algorithm, version, WORKING, names)
    if not chosen:
        raise Refused(Code.KEY_SET_EMPTY, organisation=actor.organisation)
    payload = _payload(algorithm, version, chosen) | {"to": to}
    return propose(actor, kind=EXPORT, subject=f"keys:{to}:{algorithm.name}:{version}", payload=payload)


@action(Permission.KEY_PROPOSE)
def propose_activation(
    actor: Actor, *, algorithm: Algorithm, version: int = 1, names: Sequence[str] | None = None
) -> Proposal:
    """Keys that were generated or imported go into use. Raises Refused: KEY_SET_EMPTY, KEY_NAMES."""
    return _propose(actor, ACTIVATE, algorithm, version, _from("activate"), names)


@action(Permission.KEY_PROPOSE)
def propose_retirement(
    actor: Actor,
    *,
    algorithm: Algorithm,
    version: int,
    reason: str = "",
    names: Sequence[str] | None = None,
) -> Proposal:
    """Keys go out of use for good. Without `reason` only when no unexpired card and no level below needs them.

    Raises Refused: KEY_SET_EMPTY, KEY_NAMES, KEY_IN_USE, KEY_USED_BELOW.
    """
    if not reason.strip():
        must_be_unused(actor.organisation, algorithm, version)
    return _propose(actor, RETIRE, algorithm, version, _from("retire"), names, reason=reason.strip())


@action(Permission.KEY_PROPOSE)
def propose_destruction(
    actor: Actor, *, algorithm: Algorithm, version: int, reason: str, names: Sequence[str] | None = None
) -> Proposal:
    """Retired keys are wiped from the machine. Raises Refused: KEY_REASON, KEY_SET_EMPTY, KEY_NAMES."""
    if len(reason.strip()) < 2:
        raise Refused(Code.KEY_REASON)
    return _propose(actor, DESTROY, algorithm, version, _from("destroy"), names, reason=reason.strip())


def recipient_of(actor: Actor, code: str) -> tuple[Organisation, Machine]:
    """The direct subordinate of this code and its registered machine: nobody skips a level.

    Raises Refused: KEY_NOT_SUBORDINATE, KEY_MACHINE_UNKNOWN.
    """
    below = organisation(code)
    if below.parent_id != actor.organisation:
        raise Refused(Code.KEY_NOT_SUBORDINATE, organisation=below.name)
    machine = Machine.objects.filter(organisation=below).first()
    if machine is None or machine.state == "retired":
        raise Refused(Code.KEY_MACHINE_UNKNOWN, organisation=below.name)
    return below, machine


def _propose(
    actor: Actor,
    kind: str,
    algorithm: Algorithm,
    version: int,
    states: Sequence[str],
    names: Sequence[str] | None,
    **more: str,
) -> Proposal:
    chosen = _held(actor, algorithm, version, states, names)
    if not chosen:
        raise Refused(Code.KEY_SET_EMPTY, organisation=actor.organisation)
    subject = f"keys:{actor.organisation}:{algorithm.name}:{version}"
    return propose(actor, kind=kind, subject=subject, payload=_payload(algorithm, version, chosen) | more)


def _held(
    actor: Actor, algorithm: Algorithm, version: int, states: Sequence[str], names: Sequence[str] | None
) -> list[str]:
    """The names of the keys in these states; those asked for must all be among them."""
    rows = Key.objects.filter(
        organisation_id=actor.organisation, algorithm=algorithm, version=version, state__in=states
    ).filter(owner_level__in=Kind.values)
    held = list(rows.order_by("name").values_list("name", flat=True))
    if lacking := sorted(set(names or ()) - set(held)):
        raise Refused(Code.KEY_NAMES, names=", ".join(lacking))
    return held if names is None else [name for name in held if name in set(names)]


def _payload(algorithm: Algorithm, version: int, names: Sequence[str]) -> dict[str, Any]:
    return {"names": list(names), "algorithm": int(algorithm), "version": version, "asked": f"{timezone.localdate()}"}


def _from(verb: str) -> list[str]:
    return [row.source for row in KEY.transitions if row.verb == verb]
