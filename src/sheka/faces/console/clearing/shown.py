"""A clearing day as its page shows it: who booked what, the files, what differs, positions, what comes next (S8)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from django.http import Http404

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import bureau_of, organisation
from sheka.office.staff.actors import Actor
from sheka.systems.clearing.models import Day
from sheka.systems.clearing.queries import nets_of
from sheka.systems.clearing.queries_of_pages import (
    Side,
    day_reached,
    differences_of,
    differing_on,
    sides_of,
    window_to_seal,
)
from sheka.systems.exceptions.states import RUNNING
from sheka.systems.transactions.archive import archives
from sheka.systems.transactions.models import Window
from sheka.systems.transactions.queries import days_of_window


@dataclass(frozen=True, slots=True)
class Position:
    """Who is owed how much for a day, in fen; below zero it owes."""

    code: str
    name: str
    amount: int


@dataclass(slots=True)
class DayShown:
    """A day of an organisation. `day` None: its window is open, or closed and not sealed here yet. `running` and `all`
    count the cases that the day found, by institution.
    """

    place: Organisation
    settled: date
    window: Window
    day: Day | None
    sides: list[Side]
    running: Counter[str]
    all: Counter[str]

    @property
    def state(self) -> str:
        """A state of the day, or `open` or `closed` of its window while it is not sealed here."""
        if self.day is not None:
            return self.day.state
        return "closed" if self.window.closed_at else "open"

    @property
    def lacking(self) -> list[Side]:
        """The institutions whose files reconciliation waits for."""
        return [side for side in self.sides if side.lacks_file]

    @property
    def sums(self) -> dict[str, int]:
        """Of all institutions, as they stand in the tables now."""
        return {
            "count": sum(side.count for side in self.sides),
            "purchases": sum(side.purchases for side in self.sides),
            "reversals": sum(side.reversals for side in self.sides),
            "adjusted": sum(len(side.adjustments) for side in self.sides),
            "adjustments": sum(side.adjusted for side in self.sides),
        }

    @property
    def figures(self) -> dict[str, int]:
        """As they were sealed; before that as they stand now."""
        return {name: getattr(self.day, name) for name in self.sums} if self.day is not None else self.sums

    @property
    def adds_up(self) -> bool:
        """Whether that is what was sealed."""
        return self.day is None or all(getattr(self.day, name) == value for name, value in self.sums.items())

    @property
    def in_archive(self) -> bool:
        """Whether business days that this one may hold have left the database."""
        return archives().filter(state="detached", business_date__range=days_of_window(self.window)).exists()

    @property
    def positions(self) -> list[Position]:
        """Of a netted day what was fixed; before, what it would be now."""
        if self.day is not None and self.day.state == "netted":
            return [Position(net.institution.code, net.institution.name, net.amount) for net in nets_of(self.day)]
        return [Position(side.code, side.name, side.amount) for side in self.sides]

    def file_state(self, side: Side) -> str:
        """What stands of its file: lacking, none, here, agrees or differs."""
        if side.file is None:
            return "lacking" if side.lacks_file and self.day is not None else "none"
        if self.day is None or self.day.differences is None:
            return "here"
        return "differs" if self.running[side.code] else "agrees"


def day_shown(actor: Actor, place: str, number: int) -> DayShown:
    """The day with this address. Raises Http404 for a number that is no date, Refused(CLEARING_DAY_UNKNOWN)."""
    settled = _date(number)
    day = day_reached(actor, place, settled)
    if day is not None:
        where, window = day.organisation, day.window
    else:
        found, where = window_to_seal(place, settled), organisation(place)
        if found is None or not actor.reaches(where) or bureau_of(where) != where:
            raise Refused(Code.CLEARING_DAY_UNKNOWN, day=settled.isoformat())
        window = found
    counted, running = Counter[str](), Counter[str]()
    if day is not None:
        rows = differing_on(differences_of(actor), settled.isoformat()).filter(organisation_id=place)
        for institution, state in rows.values_list("institution", "state"):
            counted[institution] += 1
            running[institution] += state in RUNNING
    return DayShown(where, settled, window, day, sides_of(actor, window, place, day), running, counted)


def _date(number: int) -> date:
    try:
        return datetime.strptime(f"{number:08d}", "%Y%m%d").date()  # noqa: DTZ007 - a clearing day has no zone
    except ValueError:
        raise Http404 from None
