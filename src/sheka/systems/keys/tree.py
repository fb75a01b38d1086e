"""The way of one key from its root to the cards, as far as this organisation can know it (K1, K2).

Above: what came along with the key. Below: what was sent, and whatever else of the tree is in the reader's scope. A
card's own key is diversified from the city's and kept nowhere: its level has a number of cards and no check value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils import timezone

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.organisations.models import Kind, Organisation
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.systems.keys.models import Consignment, Key
from sheka.systems.keys.uses import in_use

MOST = 24
"""Subordinates that are drawn for one organisation; the others are counted."""


@dataclass(frozen=True, slots=True)
class Node:
    """An organisation with its key, or the cards of a city. `state` is that of the key, or of the consignment
    (`sent`) where the key itself is out of sight; empty for a superior whose state is not told.
    """

    level: str
    place: Organisation | None
    check_value: str = ""
    state: str = ""
    sent: bool = False
    cards: int = 0
    more: int = 0
    own: bool = False
    children: tuple[Node, ...] = field(default=())

    def walk(self) -> Iterator[Node]:
        """This node and everything below it, a parent before its children."""
        yield self
        for child in self.children:
            yield from child.walk()


def tree_of(actor: Actor, key: Key) -> Node:
    """The tree that the key of the actor's organisation stands in."""
    own = _below(actor, organisation(key.organisation_id), key, key.check_value, key.state, sent=False)
    if not key.parent_check_value:
        return own
    above = organisation(key.came_from)
    return Node(above.kind, above, check_value=key.parent_check_value, children=(own,))


def _below(actor: Actor, place: Organisation, key: Key, check_value: str, state: str, *, sent: bool) -> Node:
    known = {"check_value": check_value, "state": state, "sent": sent, "own": place.code == actor.organisation}
    if place.kind == Kind.CITY:
        cards = in_use(place.code, Algorithm(key.algorithm), key.version, timezone.localdate())
        return Node(place.kind, place, children=(Node("card", None, cards=cards),), **known)
    found = _recipients(place.code, key)
    rows = {row.organisation_id: row for row in _rows(found, key)}
    children = []
    for code, (value, how) in sorted(found.items())[:MOST]:
        row = rows.get(code)
        below = organisation(code)
        children.append(_below(actor, below, key, value, row.state if row else how, sent=row is None))
    return Node(place.kind, place, children=tuple(children), more=max(0, len(found) - MOST), **known)


def _recipients(code: str, key: Key) -> dict[str, tuple[str, str]]:
    """Recipient → (check value, state) of the latest consignment that brings this key to it."""
    rows = Consignment.objects.filter(
        held_by_id=code,
        sender=code,
        algorithm=key.algorithm,
        version=key.version,
        content__contains=[{"name": key.name}],
    )
    found: dict[str, tuple[str, str]] = {}
    for row in rows.order_by("loaded_at", "pk"):
        value = next(one["check_value"] for one in row.content if one["name"] == key.name)
        found[row.recipient] = (value, row.state)
    return found


def _rows(codes: dict[str, tuple[str, str]], key: Key) -> Iterator[Key]:
    rows = Key.objects.filter(organisation_id__in=codes, name=key.name, algorithm=key.algorithm, version=key.version)
    yield from rows
