"""Carriers in one's own register, and the chain of custody of each (K5, K6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.search import MOST, Asked, Found
from sheka.systems.custody.labels import BAD, EVENTS, KINDS, STATES, TONES
from sheka.systems.custody.ledger import must_be_usable
from sheka.systems.custody.models import Carrier, CarrierEvent, Place

SHORTEST = 4
"""Signs of a serial before the search looks for carriers."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a chain of custody."""

    at: datetime
    title: Term
    kind: Literal["done", "bad"]
    who: str


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "-"


def may_see(actor: Actor) -> None:
    """Raises Refused(PERMISSION_MISSING)."""
    actor.require(Permission.CARRIER_VIEW)


def carriers(actor: Actor) -> QuerySet[Carrier]:
    """The register of the actor's organisation: what it has, and where that is which went through its hands."""
    may_see(actor)
    return Carrier.objects.filter(organisation_id=actor.organisation).select_related("place__parent", "keeper")


def carrier(actor: Actor, serial: str) -> Carrier:
    """A carrier of the register. Raises Refused: PERMISSION_MISSING, CARRIER_UNKNOWN."""
    found = carriers(actor).filter(serial=serial).first()
    if found is None:
        raise Refused(Code.CARRIER_UNKNOWN, serial=serial)
    return found


def carrier_in_hand(actor: Actor, serial: str) -> Carrier:
    """A carrier that the actor's organisation has in its hands and may use, by whomever of its people it is held.

    Raises Refused: CARRIER_UNKNOWN (not registered here: the ministry did not issue it to here), CARRIER_NOT_IN_HAND
    (elsewhere, on its way, with somebody else), CARRIER_STOPPED (reported lost, or frozen by an incident).
    """
    found = carrier(actor, serial)
    must_be_usable(found)
    return found


def chain_of(actor: Actor, serial: str) -> list[Link]:
    """The chain of custody, oldest first."""
    rows = CarrierEvent.objects.filter(carrier=carrier(actor, serial)).order_by("at", "pk")
    return [Link(row.at, _told(row), "bad" if row.event in BAD else "done", row.by) for row in rows]


def find_carriers(actor: Actor, asked: Asked) -> list[Found]:
    """Carriers of the own register by the beginning of a serial, for the search box."""
    if len(asked.text) < SHORTEST:
        return []
    rows = carriers(actor).filter(serial__startswith=asked.text.upper()).order_by("serial")
    return [
        Found(
            name=KINDS[row.kind],
            number=row.serial,
            note=str(row.place or ""),
            state=STATES[row.state],
            tone=TONES[row.state],
            address=("console:custody_carrier", row.serial),
            exact=row.serial == asked.text.upper(),
        )
        for row in rows[: MOST + 1]
    ]


def places(actor: Actor) -> QuerySet[Place]:
    """The places of the actor's organisation that are in use."""
    may_see(actor)
    rows = Place.objects.filter(organisation_id=actor.organisation, closed_at=None)
    return rows.select_related("parent").order_by("parent__name", "name")


def _told(row: CarrierEvent) -> Term:
    words, facts = EVENTS[row.event], row.facts
    zh = _Facts({name: value[0] if isinstance(value, list) else value for name, value in facts.items()})
    en = _Facts({name: value[-1] if isinstance(value, list) else value for name, value in facts.items()})
    return Term(words.zh.format_map(zh), words.en.format_map(en))
