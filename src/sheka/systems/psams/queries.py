"""Reading PSAMs: stock, one PSAM with its life line and use, where they are (K8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from django.db.models import QuerySet
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.regions import Region, children, is_within
from sheka.foundation.terms import Term
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.models import Carrier, CarrierOrder
from sheka.systems.psams.labels import BAD, EVENTS
from sheka.systems.psams.ledger import KIND
from sheka.systems.psams.models import Psam, PsamEvent
from sheka.systems.psams.states import IN_SERVICE
from sheka.systems.transactions.models import PsamAlarm
from sheka.systems.transactions.psam_policy import psam_policy
from sheka.systems.transactions.queries_of_blocks import last_uses, uses_of

DAYS = 30


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the life line."""

    at: datetime
    title: Term
    kind: Literal["done", "bad"]
    who: str


@dataclass(frozen=True, slots=True)
class DayOfUse:
    """What the switch saw on one day. `counter` is the last one, -1 when none was told."""

    day: date
    uses: int
    counter: int
    terminals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the map: a region, or the bureau itself, with its PSAMs by state."""

    code: str
    name: str
    states: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.states.values())


def psams_of(actor: Actor) -> QuerySet[Psam]:
    """The register of the actor's organisation. Raises Refused(PERMISSION_MISSING)."""
    actor.require(Permission.PSAM_VIEW)
    return Psam.objects.filter(organisation_id=actor.organisation).select_related("organisation")


def psam_named(actor: Actor, serial: str) -> Psam:
    """Raises Refused: PSAM_NOT_HERE, PERMISSION_MISSING."""
    found = psams_of(actor).filter(serial=serial).first()
    if found is None:
        raise Refused(Code.PSAM_NOT_HERE, serial=serial)
    return found


def carrier_of(psam: Psam) -> Carrier | None:
    """Its custody in the same register."""
    rows = Carrier.objects.filter(serial=psam.serial, organisation_id=psam.organisation_id)
    return rows.select_related("place__parent", "keeper").first()


def orders_of_psams(actor: Actor) -> QuerySet[CarrierOrder]:
    """Orders of PSAMs as this organisation holds them."""
    actor.require(Permission.PSAM_VIEW)
    return CarrierOrder.objects.filter(organisation_id=actor.organisation, kind=KIND)


def life_of(psam: Psam) -> list[Moment]:
    """What happened to it here, the latest first."""
    return [_told(row) for row in psam.events.order_by("-at", "-pk")]


def use_of(psam: Psam, days: int = DAYS) -> list[DayOfUse]:
    """The last `days` days, one entry each, days without a purchase too."""
    today = timezone.localdate()
    first = today - timedelta(days=days - 1)
    rows: dict[date, list[Any]] = {}
    for row in uses_of(psam.serial, since=first):
        rows.setdefault(row.day, []).append(row)
    return [
        DayOfUse(
            day,
            sum(row.uses for row in rows.get(day, ())),
            max((row.last_counter for row in rows.get(day, ())), default=-1),
            tuple(row.terminal.number for row in rows.get(day, ())),
        )
        for day in (first + timedelta(days=at) for at in range(days))
    ]


def silent(actor: Actor) -> list[Psam]:
    """PSAMs in service that no purchase named for longer than the policy allows."""
    rows = list(psams_of(actor).filter(state__in=IN_SERVICE))
    seen = last_uses([row.serial for row in rows])
    limit = timezone.now() - timedelta(days=psam_policy().silent_days)
    return [row for row in rows if (seen[row.serial].seen_at if row.serial in seen else row.since) < limit]


def counts_by_state(actor: Actor) -> dict[str, int]:
    """How many PSAMs are in each state."""
    return dict(Counter(row.standing for row in psams_of(actor)))


def map_of(actor: Actor) -> list[Place]:
    """The parts of the actor's region, each with its PSAMs: provinces for the ministry, cities for a province,
    districts and counties for a city, and the place itself where something is not further down.
    """
    place = organisation(actor.organisation)
    own = None if place.region == "000000" else place.region
    parts = list(children(own))
    counted: dict[str, Counter[str]] = {}
    for row in psams_of(actor):
        counted.setdefault(_part(row.region, parts, place.region), Counter())[row.standing] += 1
    found = [Place(part.code, part.name, dict(counted.get(part.code, {}))) for part in parts]
    here = counted.get(place.region)
    return [Place(place.region, place.name, dict(here)), *found] if here else found


def places_to_follow(codes: Iterable[str]) -> list[str]:
    """Bureaus that hold PSAMs, or whose terminals the switch raised an alarm about. For the clock."""
    hold = Carrier.objects.filter(kind=KIND, organisation_id__in=codes).values_list("organisation_id", flat=True)
    alarmed = PsamAlarm.objects.filter(told_at=None).values_list("terminal__institution__organisation_id", flat=True)
    return sorted({*hold, *alarmed})


def _part(code: str, parts: list[Region], own: str) -> str:
    for part in parts:
        if is_within(code, part.code):
            return part.code
    return own


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "-"


def _told(row: PsamEvent) -> Moment:
    words, facts = EVENTS[row.event], row.facts
    zh = _Facts({name: value[0] if isinstance(value, list) else value for name, value in facts.items()})
    en = _Facts({name: value[-1] if isinstance(value, list) else value for name, value in facts.items()})
    title = Term(words.zh.format_map(zh), words.en.format_map(en))
    return Moment(row.at, title, "bad" if row.event in BAD else "done", row.by)
