"""Notices from files: a slip in the yearly import must be found before it moves everybody's due dates (R2)."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from sheka.foundation.calendar import add_working_days, load_notice, standard_calendar
from sheka.foundation.refusals import Code

GOOD = resources.files("sheka.foundation.calendar").joinpath("notice_2026.toml").read_text("utf-8")
pytestmark = pytest.mark.req("R2")


def write(folder: Path, text: str) -> Path:
    path = folder / "notice.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_file_that_ships_loads(tmp_path: Path) -> None:
    notice = load_notice(write(tmp_path, GOOD))
    assert (notice.year, notice.document, notice.amends) == (2026, "国办发明电〔2025〕7号", False)
    assert len(notice.days_off) == 33 and len(notice.working_weekends) == 6


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("year = 2026", "", Code.CALENDAR_FIELD),
        ("year = 2026", "year = true", Code.CALENDAR_FIELD),
        ("year = 2026", "year = 99999", Code.CALENDAR_FIELD),
        ("year = 2026", "year = 2027", Code.CALENDAR_DAY_OUTSIDE),
        ("issued = 2025-11-04", "issued = 2025-11-04T00:00:00", Code.CALENDAR_FIELD),
        ('document = "国办发明电〔2025〕7号"', 'document = ""', Code.CALENDAR_FIELD),
        ('{ zh = "元旦", en = "New Year" }', '"元旦"', Code.CALENDAR_FIELD),
        ('{ zh = "元旦", en = "New Year" }', '{ zh = "元旦" }', Code.CALENDAR_FIELD),
        ("days = [2026-01-01, 2026-01-03]", "days = [2026-01-01]", Code.CALENDAR_FIELD),
        ("days = [2026-01-01, 2026-01-03]", "days = [2026-01-03, 2026-01-01]", Code.CALENDAR_FIELD),
        ("days = [2026-01-01, 2026-01-03]", "days = [1, 3]", Code.CALENDAR_FIELD),
        ("days = [2026-01-01, 2026-01-03]", "days = [2026-01-01, 2026-03-03]", Code.CALENDAR_DAY_OUTSIDE),
        ("days = [2026-01-01, 2026-01-03]", "days = [2025-11-30, 2025-12-01]", Code.CALENDAR_DAY_OUTSIDE),
        ("days = [2026-06-19, 2026-06-21]", "days = [2026-05-05, 2026-05-06]", Code.CALENDAR_DAY_TWICE),
        ("[2026-01-04, 2026-02-14", "[2026-01-03, 2026-02-14", Code.CALENDAR_DAY_TWICE),
        ("[2026-01-04, 2026-02-14", "[2026-01-04, 2026-01-04, 2026-02-14", Code.CALENDAR_DAY_TWICE),
        ("[2026-01-04, 2026-02-14", "[2026-01-05, 2026-02-14", Code.CALENDAR_NOT_A_WEEKEND),
        ("[2026-01-04, 2026-02-14", "[2027-01-03, 2026-02-14", Code.CALENDAR_DAY_OUTSIDE),
        ("[2026-01-04, 2026-02-14", '["2026-01-04", 2026-02-14', Code.CALENDAR_FIELD),
        ("[2026-01-04, 2026-02-14", "[2026-02-14", Code.CALENDAR_BALANCE),
        ("days = [2026-02-15, 2026-02-23]", "days = [2026-02-15, 2026-02-22]", Code.CALENDAR_BALANCE),
        ("days = [2026-10-01, 2026-10-07]", "days = [2026-10-02, 2026-10-08]", Code.CALENDAR_STATUTORY_MISSING),
        ("[[holidays]]", "[holidays]", Code.CALENDAR_FILE),
    ],
)
def test_a_bad_file_is_refused_and_changes_nothing(
    old: str, new: str, code: Code, tmp_path: Path, refused_by: Any
) -> None:
    assert old in GOOD
    before = (standard_calendar().published_years, standard_calendar().notices)
    with refused_by(code):
        load_notice(write(tmp_path, GOOD.replace(old, new)))
    assert (standard_calendar().published_years, standard_calendar().notices) == before
    assert add_working_days(standard_calendar().notices[-1].issued, 7).day.isoformat() == "2025-11-13"


@pytest.mark.parametrize("name", ["missing.toml", "gbk.toml", "."])
def test_a_file_that_cannot_be_read(name: str, tmp_path: Path, refused_by: Any) -> None:
    (tmp_path / "gbk.toml").write_bytes("# 放假".encode("gbk"))
    with refused_by(Code.CALENDAR_FILE):
        load_notice(tmp_path / name)


def test_holidays_that_are_not_a_list_of_tables(tmp_path: Path, refused_by: Any) -> None:
    with refused_by(Code.CALENDAR_FIELD):
        load_notice(write(tmp_path, GOOD.split("[[holidays]]")[0] + "holidays = [1]\n"))


def test_a_new_year_may_begin_in_december(tmp_path: Path) -> None:
    """As in the notices of 2019 and 2023."""
    text = GOOD.replace("days = [2026-01-01, 2026-01-03]", "days = [2025-12-31, 2026-01-02]")
    notice = load_notice(write(tmp_path, text.replace("statutory_days = 13", "statutory_days = 14")))
    assert min(notice.days_off).isoformat() == "2025-12-31"
