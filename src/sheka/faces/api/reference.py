"""What everybody may look up: refusals, working days and due days, regions (R2)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.calendar import DayKind, add_working_days, is_working_day
from sheka.foundation.refusals import Code, Refused, sentence
from sheka.foundation.regions import Region, children, full_name, region
from sheka.office.api import Request, Router, Shape, reads
from sheka.office.api.problems import title_of

router = Router()
MOST_DAYS = 370
YEARS = range(1950, 2151)
RegionCode = Annotated[str, Path(pattern=r"^[0-9]{6}$", examples=["460100"], description="GB/T 2260.")]


class RefusalShape(Shape):
    """A numbered refusal, as problem+json names it."""

    code: int
    name: str
    status: int = Field(description="The HTTP status it travels with.")
    title: str
    todo: str


class Refusals(Shape):
    """All of them."""

    items: list[RefusalShape]


class Day(Shape):
    """What kind of day it is."""

    day: date
    working: bool
    provisional: bool = Field(description="Whether a notice that is still to come may change it.")
    reason: str


class Days(Shape):
    """Days in order."""

    items: list[Day]


class DayQuery(Shape):
    """From which day to which, both counted."""

    since: date = Field(examples=["2026-10-01"])
    until: date = Field(examples=["2026-10-10"])


class DueQuery(Shape):
    """How many working days from when."""

    start: date = Field(examples=["2026-09-28"])
    days: int = Field(7, ge=1, le=400)


class DueDay(Shape):
    """The last of the working days, counted from the day after the start, with the days that were counted."""

    day: date
    provisional: bool
    strip: list[Day]


class RegionShape(Shape):
    """A code of GB/T 2260."""

    code: str
    name: str
    full_name: str
    level: Literal["province", "city", "county"]
    parent: str | None
    current: bool


class Regions(Shape):
    """Regions in order of their codes."""

    items: list[RegionShape]


@reads(router, "/refusals", scope=None, answer=Refusals)
def list_refusals(request: Request) -> Refusals:
    """Every refusal that can come, with its number."""
    return Refusals(items=[_refusal(code, request.language) for code in Code])


@reads(router, "/refusals/{code}", scope=None, answer=RefusalShape, refusals=(Code.API_ADDRESS,))
def get_refusal(request: Request, code: Annotated[int, Path(ge=1, le=99_999)]) -> RefusalShape:
    """One refusal: where `type` of a problem points to."""
    try:
        return _refusal(Code(code), request.language)
    except ValueError:
        raise Refused(Code.API_ADDRESS, address=request.path) from None


@reads(router, "/calendar/days", scope=None, answer=Days, refusals=(Code.API_PARAMETER,))
def list_days(request: Request, query: Query[DayQuery]) -> Days:
    """Working days and holidays, by the notices of the State Council."""
    if not 0 <= (query.until - query.since).days < MOST_DAYS:
        raise Refused(Code.API_PARAMETER, name="until", problem=f"since <= until < since + {MOST_DAYS}")
    _must_be_of_our_time("since", query.since)
    count = (query.until - query.since).days + 1
    kinds = (is_working_day(query.since + timedelta(days=number)) for number in range(count))
    return Days(items=[_day(kind, request.language) for kind in kinds])


@reads(router, "/calendar/due-day", scope=None, answer=DueDay, refusals=(Code.API_PARAMETER,))
def get_due_day(request: Request, query: Query[DueQuery]) -> DueDay:
    """The day on which so many working days end (R2)."""
    _must_be_of_our_time("start", query.start)
    due = add_working_days(query.start, query.days)
    strip = [_day(kind, request.language) for kind in due.strip]
    return DueDay(day=due.day, provisional=due.provisional, strip=strip)


@reads(router, "/regions", scope=None, answer=Regions)
def list_regions(request: Request) -> Regions:
    """The provinces."""
    return Regions(items=[_region(found) for found in children(None)])


@reads(router, "/regions/{code}", scope=None, answer=RegionShape, refusals=(Code.REGION_UNKNOWN,))
def get_region(request: Request, code: RegionCode) -> RegionShape:
    """A region under its newest name, in force or not."""
    return _region(region(code))


@reads(router, "/regions/{code}/children", scope=None, answer=Regions, refusals=(Code.REGION_UNKNOWN,))
def list_region_children(request: Request, code: RegionCode) -> Regions:
    """The regions directly below one, in the present list."""
    region(code)
    return Regions(items=[_region(found) for found in children(code)])


def _must_be_of_our_time(name: str, day: date) -> None:
    """A day that a calendar of the People's Republic can be asked about. Raises Refused(API_PARAMETER)."""
    if day.year not in YEARS:
        raise Refused(Code.API_PARAMETER, name=name, problem=f"{YEARS.start} - {YEARS.stop - 1}")


def _refusal(code: Code, language: str) -> RefusalShape:
    told = Refused(code)
    return RefusalShape(
        code=code.value,
        name=code.name,
        status=sentence(code).http,
        title=title_of(code, language),
        todo=told.todo(language),
    )


def _day(kind: DayKind, language: str) -> Day:
    return Day(day=kind.day, working=kind.working, provisional=kind.provisional, reason=kind.reason.text(language))


def _region(found: Region) -> RegionShape:
    return RegionShape(
        code=found.code,
        name=found.name,
        full_name=full_name(found.code),
        level=found.level.value,
        parent=found.parent,
        current=found.current,
    )
