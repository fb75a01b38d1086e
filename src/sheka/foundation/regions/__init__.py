"""Regions: every GB/T 2260 code since 1980, with its parents and the years in which it was in force (foundation
regions).

The table stands in `regions.csv`, with its sources in its first lines; `tools/build_regions.py` builds it. Dates
are outer
bounds: the editions of the list are months apart, so a code may have begun somewhat later or ended somewhat earlier.
"""

from __future__ import annotations

import csv
from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources

from sheka.foundation.refusals import Code, Refused

__all__ = [
    "Level",
    "Region",
    "ancestors",
    "children",
    "counties",
    "full_name",
    "history",
    "is_known",
    "is_within",
    "provinces",
    "region",
]


class Level(StrEnum):
    """Province, city (prefecture), county: the three levels of GB/T 2260."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"


@dataclass(frozen=True, slots=True)
class Region:
    """A code under one name. `parent` is None for a province; `valid_from` None: before 1981; `valid_to` None: in
    force.
    """

    code: str
    name: str
    level: Level
    parent: str | None
    valid_from: date | None
    valid_to: date | None

    @property
    def current(self) -> bool:
        """Whether the code is in force under this name in the present list."""
        return self.valid_to is None

    def in_force(self, on: date) -> bool:
        """Whether the code can have been in force under this name on a day."""
        return (self.valid_from or date.min) <= on <= (self.valid_to or date.max)


def region(code: str, on: date | None = None) -> Region:
    """The region of a code: as it was on a day, or, without a day, under its newest name, in force or not.

    Where two names are possible on a day, the newer one. Refused: REGION_UNKNOWN, REGION_NOT_IN_FORCE.

    >>> region("460106").name, region("460104").current
    ('龙华区', False)
    """
    rows = history(code)
    if on is None:
        return rows[-1]
    for row in reversed(rows):
        if row.in_force(on):
            return row
    raise Refused(Code.REGION_NOT_IN_FORCE, region=code, name=rows[-1].name, on=on.isoformat())


def history(code: str) -> tuple[Region, ...]:
    """Everything a code has stood for, oldest first. Refused: REGION_UNKNOWN."""
    try:
        return _table()[code]
    except KeyError:
        raise Refused(Code.REGION_UNKNOWN, region=code) from None


def is_known(code: str) -> bool:
    """Whether a code is, or ever was, in the list."""
    return code in _table()


def ancestors(code: str, on: date | None = None) -> tuple[Region, ...]:
    """The region and those above it, province first. Refused as `region`.

    >>> [row.name for row in ancestors("460106")]
    ['海南省', '海口市', '龙华区']
    """
    found = region(code, on)
    chain = [found]
    while found.parent is not None:
        above = history(found.parent)
        day = on or found.valid_to
        found = next((row for row in reversed(above) if day is None or row.in_force(day)), above[-1])
        chain.append(found)
    return tuple(reversed(chain))


def full_name(code: str, on: date | None = None) -> str:
    """The names from the province down, as they stand in an address. Refused as `region`.

    >>> full_name("460106")
    '海南省海口市龙华区'
    """
    return "".join(row.name for row in ancestors(code, on))


def children(code: str | None, on: date | None = None) -> tuple[Region, ...]:
    """The regions directly below a code (None: the provinces) on a day, or in the present list, in order of code."""
    found: list[Region] = []
    for row in _below(code):
        if row.current if on is None else row.in_force(on):
            if found and found[-1].code == row.code:
                found.pop()
            found.append(row)
    return tuple(found)


def provinces(on: date | None = None) -> tuple[Region, ...]:
    """The provinces, in order of code."""
    return children(None, on)


def counties(within: str | None = None) -> tuple[Region, ...]:
    """The counties of the present list, all or those within a province or city, in order of code."""
    codes = _current_counties()
    if within is None:
        return tuple(_table()[code][-1] for code in codes)
    stem = _stem(within)
    start, end = bisect_left(codes, stem), bisect_left(codes, stem + "~")
    return tuple(_table()[code][-1] for code in codes[start:end])


def is_within(code: str, above: str) -> bool:
    """Whether a region is another one or lies below it, by the digits of the codes.

    >>> is_within("460106", "460000"), is_within("460106", "460200")
    (True, False)
    """
    return code.startswith(_stem(above))


def _stem(code: str) -> str:
    if code.endswith("0000"):
        return code[:2]
    return code[:4] if code.endswith("00") else code


@cache
def _table() -> dict[str, tuple[Region, ...]]:
    text = resources.files(__name__).joinpath("regions.csv").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    found: dict[str, list[Region]] = {}
    for row in csv.DictReader(lines):
        code = row["code"]
        entry = Region(
            code,
            row["name"],
            Level(row["level"]),
            row["parent"] or None,
            _day(row["valid_from"]),
            _day(row["valid_to"]),
        )
        found.setdefault(code, []).append(entry)
    return {code: tuple(rows) for code, rows in found.items()}


@cache
def _children_table() -> dict[str | None, tuple[Region, ...]]:
    found: dict[str | None, list[Region]] = {}
    for rows in _table().values():
        for row in rows:
            found.setdefault(row.parent, []).append(row)
    return {parent: tuple(rows) for parent, rows in found.items()}


def _below(code: str | None) -> tuple[Region, ...]:
    return _children_table().get(code, ())


@cache
def _current_counties() -> tuple[str, ...]:
    return tuple(code for code, rows in _table().items() if rows[-1].current and rows[-1].level is Level.COUNTY)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
