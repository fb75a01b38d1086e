"""The yearly holiday notice of the State Council as a checked file (R2; foundation calendar).

A file names its document, the first and last day of every holiday, and the weekend days on which people work instead.
It is checked against the law before anything uses it: a bad file is refused with the number of what is wrong in it,
and since reading returns a value and changes nothing, the calendar in use stays as it was.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

STATUTORY: tuple[tuple[int, int, Term], ...] = (
    (1, 1, Term("元旦", "New Year")),
    (5, 1, Term("劳动节", "Labour Day")),
    (5, 2, Term("劳动节", "Labour Day")),
    (10, 1, Term("国庆节", "National Day")),
    (10, 2, Term("国庆节", "National Day")),
    (10, 3, Term("国庆节", "National Day")),
)
"""Statutory holidays on a fixed date (rules on national holidays, order 795 of 2024, in force since 2025).

Spring Festival, Qingming, Dragon Boat and Mid-Autumn follow the lunar calendar or the sun and are never guessed here.
"""

_LONGEST_HOLIDAY = 31
_SATURDAY = 5
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice: days off by name of the holiday, weekend days worked. One that `amends` changes an earlier one."""

    year: int
    title: str
    document: str
    issued: date
    statutory_days: int
    days_off: Mapping[date, Term]
    working_weekends: frozenset[date]
    amends: bool = False


def load_notice(path: Path) -> Notice:
    """A notice from its TOML file.

    Refused: CALENDAR_FILE (unreadable), CALENDAR_FIELD (a field is missing or of another kind), CALENDAR_DAY_OUTSIDE,
    CALENDAR_DAY_TWICE, CALENDAR_NOT_A_WEEKEND, and for a yearly notice CALENDAR_STATUTORY_MISSING and CALENDAR_BALANCE:
    weekdays off minus weekend days worked must be the statutory days of the law, so a forgotten line is found.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refused(Code.CALENDAR_FILE, problem=f"{path.name}: {error}") from None
    return check_notice(raw)


def check_notice(raw: Mapping[str, Any]) -> Notice:
    """A notice from the content of its file. Refused as `load_notice`."""
    year = _field(raw, "year", int, Term("年份", "a year"))
    if not 2000 <= year <= 2200:
        raise Refused(Code.CALENDAR_FIELD, field="year", expected=Term("2000至2200年", "a year from 2000 to 2200"))
    notice = Notice(
        year=year,
        title=_field(raw, "title", str, Term("文字", "text")),
        document=_field(raw, "document", str, Term("文字", "text")),
        issued=_field(raw, "issued", date, Term("日期", "a date")),
        statutory_days=_field(raw, "statutory_days", int, Term("天数", "a number of days")),
        days_off=_days_off(raw, year),
        working_weekends=_working_weekends(raw, year),
        amends=_field(raw, "amends", bool, Term("true或false", "true or false")) if "amends" in raw else False,
    )
    for day in notice.working_weekends & notice.days_off.keys():
        raise Refused(Code.CALENDAR_DAY_TWICE, day=day.isoformat())
    if not notice.amends:
        _check_law(notice)
    return notice


def _field(raw: Mapping[str, Any], name: str, kind: type[_T], expected: Term) -> _T:
    value = raw.get(name)
    # bool is an int and datetime a date to Python, not here
    if not isinstance(value, kind) or type(value) is not kind or value == "":
        raise Refused(Code.CALENDAR_FIELD, field=name, expected=expected)
    return value


def _days_off(raw: Mapping[str, Any], year: int) -> dict[date, Term]:
    found: dict[date, Term] = {}
    for holiday in _list(raw, "holidays"):
        if not isinstance(holiday, dict):
            raise Refused(Code.CALENDAR_FIELD, field="holidays", expected=Term("假日列表", "a list of holidays"))
        name = _name(holiday)
        days = _list(holiday, "days")
        if len(days) != 2 or any(type(day) is not date for day in days) or days[1] < days[0]:
            raise Refused(Code.CALENDAR_FIELD, field="days", expected=Term("首日和末日", "a first and a last day"))
        length = (days[1] - days[0]).days + 1
        if length > _LONGEST_HOLIDAY:
            raise Refused(Code.CALENDAR_DAY_OUTSIDE, day=days[1].isoformat(), year=year)
        for day in (days[0] + timedelta(days=offset) for offset in range(length)):
            _check_year(day, year)
            if day in found:
                raise Refused(Code.CALENDAR_DAY_TWICE, day=day.isoformat())
            found[day] = name
    return found


def _name(holiday: Mapping[str, Any]) -> Term:
    name = holiday.get("name")
    if not isinstance(name, dict):
        raise Refused(Code.CALENDAR_FIELD, field="name", expected=Term("中英文名称", "a name in zh and en"))
    return Term(
        _field(name, "zh", str, Term("中文名称", "a Chinese name")),
        _field(name, "en", str, Term("英文名称", "an English name")),
    )


def _working_weekends(raw: Mapping[str, Any], year: int) -> frozenset[date]:
    found: set[date] = set()
    for day in _list(raw, "working_weekends"):
        if not isinstance(day, date) or isinstance(day, datetime):
            raise Refused(Code.CALENDAR_FIELD, field="working_weekends", expected=Term("日期列表", "a list of dates"))
        _check_year(day, year)
        if day.weekday() < _SATURDAY:
            raise Refused(Code.CALENDAR_NOT_A_WEEKEND, day=day.isoformat())
        if day in found:
            raise Refused(Code.CALENDAR_DAY_TWICE, day=day.isoformat())
        found.add(day)
    return frozenset(found)


def _list(raw: Mapping[str, Any], name: str) -> list[Any]:
    return _field(raw, name, list, Term("列表", "a list"))


def _check_year(day: date, year: int) -> None:
    """A day belongs to its year; the New Year of a notice may begin in the last days of December before."""
    if day.year != year and not (day.year == year - 1 and day.month == 12 and day.day >= 25):
        raise Refused(Code.CALENDAR_DAY_OUTSIDE, day=day.isoformat(), year=year)


def _check_law(notice: Notice) -> None:
    for month, number, name in STATUTORY:
        day = date(notice.year, month, number)
        if day not in notice.days_off:
            raise Refused(Code.CALENDAR_STATUTORY_MISSING, day=day.isoformat(), name=name)
    off = sum(1 for day in notice.days_off if day.weekday() < _SATURDAY)
    worked = len(notice.working_weekends)
    if off - worked != notice.statutory_days:
        raise Refused(Code.CALENDAR_BALANCE, off=off, worked=worked, statutory=notice.statutory_days)
