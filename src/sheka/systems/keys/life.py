"""Moving keys along their life: the state table is asked, the step is kept on the key's life line (K1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils import timezone

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.systems.keys.labels import KEY_STATES
from sheka.systems.keys.models import Key, KeyMove
from sheka.systems.keys.states import KEY

CEREMONY = "process:ceremony:"


def must_be_ceremony(actor: Actor) -> None:
    """Whoever acts is the process of a ceremony: no person and no other process has this hand (K6).

    Raises Refused(KEY_NOT_IN_CEREMONY).
    """
    if actor.is_person or actor.client or not actor.name.startswith(CEREMONY):
        raise Refused(Code.KEY_NOT_IN_CEREMONY)


def lock_keys(actor: Actor, names: Sequence[str], algorithm: Algorithm, version: int) -> list[Key]:
    """The organisation's keys of these names, locked, in the order of the names. Raises Refused(KEY_UNKNOWN)."""
    rows = Key.objects.select_for_update().filter(
        organisation_id=actor.organisation, name__in=names, algorithm=algorithm, version=version
    )
    held = {key.name: key for key in rows.order_by("pk")}
    for name in names:
        if name not in held:
            raise Refused(Code.KEY_UNKNOWN, name=name, organisation=actor.organisation, version=version)
    return [held[name] for name in names]


def move(actor: Actor, keys: Iterable[Key], verb: str, *fields: str, about: str = "") -> list[Key]:
    """`verb` on every key, or on none: state and `fields` are saved, a step is added to each life line.

    `about`: the ceremony, the consignment or the incident by which it comes. Raises Refused(STATE_FORBIDS).
    """
    now, moved = timezone.now(), list(keys)
    for key in moved:
        key.state = KEY.after(key.state, verb)
        key.since = now
    Key.objects.bulk_update(moved, ["state", "since", *fields])
    keep_moves(actor, moved, verb, about)
    return moved


def keep_moves(actor: Actor, keys: Iterable[Key], verb: str, about: str = "") -> None:
    """A step on the life line of each key as it now stands."""
    KeyMove.objects.bulk_create(
        KeyMove(
            key=key,
            organisation_id=key.organisation_id,
            verb=verb,
            state=key.state,
            about=about[:120],
            by=actor.name,
            at=timezone.now(),
        )
        for key in keys
    )


def must_work(key: Key, states: Sequence[str]) -> None:
    """The key is in one of these states. Raises Refused: KEY_SUSPENDED, KEY_NOT_ACTIVE."""
    if key.state == "suspended" and "suspended" not in states:
        raise Refused(Code.KEY_SUSPENDED, name=key.name, version=key.version, incident=key.incident)
    if key.state not in states:
        raise Refused(Code.KEY_NOT_ACTIVE, name=key.name, version=key.version, state=KEY_STATES[key.state])
