"""Regions: the codes on cards, terminals and persons' numbers must lead to the right place, also the old ones."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.refusals import Code
from sheka.foundation.regions import (
    Level,
    Region,
    ancestors,
    children,
    counties,
    full_name,
    history,
    is_known,
    is_within,
    provinces,
    region,
)

TODAY = date(2026, 11, 21)
ALL_COUNTIES = counties()


def test_the_present_list_is_whole() -> None:
    assert len(ALL_COUNTIES) == 2847
    assert len(provinces()) == 34
    assert sum(len(children(province.code)) for province in provinces()) == 333 + sum(
        1 for county in ALL_COUNTIES if county.parent and county.parent.endswith("0000")
    )
    assert len({county.code for county in ALL_COUNTIES}) == len(ALL_COUNTIES)


@pytest.mark.parametrize(
    ("code", "name", "level", "parent"),
    [
        ("460000", "海南省", Level.PROVINCE, None),
        ("460100", "海口市", Level.CITY, "460000"),
        ("460105", "秀英区", Level.COUNTY, "460100"),
        ("460106", "龙华区", Level.COUNTY, "460100"),
        ("460107", "琼山区", Level.COUNTY, "460100"),
        ("460108", "美兰区", Level.COUNTY, "460100"),
        ("460302", "西沙区", Level.COUNTY, "460300"),
        ("460400", "儋州市", Level.CITY, "460000"),
        ("469001", "五指山市", Level.COUNTY, "460000"),
        ("110101", "东城区", Level.COUNTY, "110000"),
        ("500157", "两江新区", Level.COUNTY, "500000"),
        ("653229", "和安县", Level.COUNTY, "653200"),
        ("710000", "台湾省", Level.PROVINCE, None),
        ("810000", "香港特别行政区", Level.PROVINCE, None),
        ("820000", "澳门特别行政区", Level.PROVINCE, None),
    ],
)
def test_regions_in_force(code: str, name: str, level: Level, parent: str | None) -> None:
    found = region(code)
    assert (found.name, found.level, found.parent, found.current) == (name, level, parent, True)
    assert region(code, TODAY) == found


@pytest.mark.parametrize(
    ("code", "name", "first", "last"),
    [
        ("460004", "琼山市", date(1994, 1, 1), date(2002, 12, 31)),
        ("442100", "海南行政区", None, date(1988, 12, 31)),
        ("330104", "江干区", None, date(2021, 12, 31)),
        ("371202", "莱城区", date(1992, 1, 1), date(2019, 12, 31)),
        ("500112", "渝北区", date(1997, 1, 1), date(2025, 12, 31)),
    ],
)
def test_retired_codes_keep_their_years(code: str, name: str, first: date | None, last: date, refused_by: Any) -> None:
    found = region(code)
    assert (found.name, found.valid_from, found.valid_to, found.current) == (name, first, last, False)
    assert region(code, last) == found
    with refused_by(Code.REGION_NOT_IN_FORCE):
        region(code, last + timedelta(days=1))
    if first is not None:
        with refused_by(Code.REGION_NOT_IN_FORCE):
            region(code, first - timedelta(days=1))


def test_one_code_under_two_names() -> None:
    assert [row.name for row in history("460001")] == ["通什市", "五指山市"]
    assert region("460001", date(1990, 5, 1)).name == "通什市"
    assert region("460001", date(2002, 5, 1)).name == "五指山市"
    assert region("130502").name == "襄都区"


def test_unknown_codes_are_refused(refused_by: Any) -> None:
    for code in ("469999", "46010", "", "龙华区"):
        assert not is_known(code)
        with refused_by(Code.REGION_UNKNOWN):
            region(code)


def test_full_names_stop_at_what_exists() -> None:
    assert full_name("460106") == "海南省海口市龙华区"
    assert full_name("110101") == "北京市东城区"
    assert full_name("469001") == "海南省五指山市"
    assert full_name("460000") == "海南省"
    assert full_name("460022") == "海南省文昌县"
    assert full_name("442122", date(1985, 1, 1)) == "广东省海南行政区文昌县"


@given(st.sampled_from(ALL_COUNTIES))
def test_every_county_hangs_below_its_province(county: Region) -> None:
    chain = ancestors(county.code, TODAY)
    assert chain[0].level is Level.PROVINCE and chain[-1] == county
    assert all(row.current for row in chain)
    assert all(lower.parent == upper.code for upper, lower in pairwise(chain))
    assert county in children(county.parent) and is_within(county.code, chain[0].code)


@given(st.sampled_from([row for county in ALL_COUNTIES for row in history(county.code)]))
def test_history_is_in_order_and_only_the_newest_is_in_force(row: Region) -> None:
    rows = history(row.code)
    assert rows[-1].current and not any(earlier.current for earlier in rows[:-1])
    starts = [entry.valid_from or date.min for entry in rows]
    assert starts == sorted(starts)
    assert all(entry.valid_to is None or (entry.valid_from or date.min) <= entry.valid_to for entry in rows)


def test_counties_of_a_city_and_of_a_province() -> None:
    assert [row.name for row in counties("460100")] == ["秀英区", "龙华区", "琼山区", "美兰区"]
    assert counties("460106") == (region("460106"),)
    assert len(counties("460000")) == sum(1 for row in ALL_COUNTIES if row.code.startswith("46"))
    assert counties("810000") == ()


def test_children_on_a_day_of_the_past() -> None:
    names = [row.name for row in children("460100", date(1995, 6, 1))]
    assert names == ["振东区", "新华区", "秀英区"]


def test_within() -> None:
    assert is_within("460106", "460100") and is_within("460106", "460106")
    assert not is_within("460106", "460105") and not is_within("450106", "460000")
