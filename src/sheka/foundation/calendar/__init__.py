"""Working days: the State Council's notices of 2025 and 2026, and honest, provisional dates beyond them (R2).

A year whose notice is not loaded is never guessed in silence: weekends and the statutory holidays on fixed dates are
counted, lunar holidays and adjusted weekends are not, and every such day, and every due date that touches one, says
that it is provisional. Due dates are counted from the day after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path

from sheka.foundation.calendar.notice import STATUTORY, Notice, check_notice, load_notice
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

__all__ = [
    "DayKind",
    "DueDate",
    "Notice",
    "WorkingCalendar",
    "add_working_days",
    "check_notice",
    "current_calendar",
    "install_calendar",
    "is_working_day",
    "load_notice",
    "standard_calendar",
]

_MOST_DAYS = 400
_SATURDAY = 5
_TUESDAY = 1
_WORKING_DAY = Term("工作日", "working day")
_WEEKEND = Term("周末", "weekend")


@dataclass(frozen=True, slots=True)
class DayKind:
    """Whether people work on a day, why, and whether a notice that is still to come may change it."""

    day: date
    working: bool
    provisional: bool
    reason: Term


@dataclass(frozen=True, slots=True)
class DueDate:
    """The last of the working days counted; `strip` has every day from the day after the start to it."""

    day: date
    provisional: bool
    strip: tuple[DayKind, ...]


class WorkingCalendar:
    """The notices that are loaded. A calendar never changes: `with_notice` gives a new one."""

    def __init__(self, notices: Iterable[Notice] = ()) -> None:
        self.notices = tuple(notices)
        self._documents = {notice.year: notice.document for notice in self.notices if not notice.amends}
        self._off: dict[date, Term] = {}
        self._worked: dict[date, Term] = {}
        for notice in sorted(self.notices, key=lambda notice: (notice.amends, notice.issued)):
            for day, name in notice.days_off.items():
                self._off[day] = name
                self._worked.pop(day, None)
            for day in notice.working_weekends:
                self._worked[day] = Term("调休上班", "weekend day worked instead of a holiday")
                self._off.pop(day, None)

    @property
    def published_years(self) -> tuple[int, ...]:
        """The years whose notice is loaded."""
        return tuple(sorted(self._documents))

    @property
    def holidays(self) -> frozenset[date]:
        """The days off that notices name, those that fall on a weekend too."""
        return frozenset(self._off)

    def with_notice(self, notice: Notice) -> WorkingCalendar:
        """This calendar and one more notice. Refused: CALENDAR_YEAR_PUBLISHED, CALENDAR_NOTHING_TO_AMEND."""
        document = self._documents.get(notice.year)
        if document is not None and not notice.amends:
            raise Refused(Code.CALENDAR_YEAR_PUBLISHED, year=notice.year, document=document)
        if document is None and notice.amends:
            raise Refused(Code.CALENDAR_NOTHING_TO_AMEND, year=notice.year)
        return WorkingCalendar((*self.notices, notice))

    def is_working_day(self, day: date) -> DayKind:
        """What kind of day it is. Takes a date in China, never a time: those change the day with the zone."""
        if isinstance(day, datetime):
            raise TypeError("a date is needed: take the day in China of this time first")
        if day in self._off:
            return DayKind(day, False, False, self._off[day])
        if day in self._worked:
            return DayKind(day, True, False, self._worked[day])
        if day.year not in self._documents:
            return self._unpublished(day)
        working = day.weekday() < _SATURDAY
        return DayKind(day, working, self._hangs_on_next_year(day), _WORKING_DAY if working else _WEEKEND)

    def add_working_days(self, start: date, days: int) -> DueDate:
        """The day on which the last of `days` working days falls, counted from the day after `start`.

        Refused: CALENDAR_DAYS when `days` is not 1 to 400.
        """
        if not 1 <= days <= _MOST_DAYS:
            raise Refused(Code.CALENDAR_DAYS, low=1, high=_MOST_DAYS, got=days)
        strip: list[DayKind] = []
        left = days
        while left:
            kind = self.is_working_day((strip[-1].day if strip else start) + timedelta(days=1))
            strip.append(kind)
            left -= kind.working
        return DueDate(strip[-1].day, any(kind.provisional for kind in strip), tuple(strip))

    def _unpublished(self, day: date) -> DayKind:
        fixed = next((name for month, number, name in STATUTORY if (month, number) == (day.month, day.day)), None)
        working = fixed is None and day.weekday() < _SATURDAY
        kind = fixed or (_WORKING_DAY if working else _WEEKEND)
        reason = Term(
            f"{kind.zh}（暂定：{day.year}年放假安排尚未公布或尚未导入）",
            f"{kind.en} (provisional: the holiday notice of {day.year} is not published or not loaded)",
        )
        return DayKind(day, working, True, reason)

    def _hangs_on_next_year(self, day: date) -> bool:
        """When 1 January is a Tuesday, its notice has always made a bridge of the December days before (2019)."""
        if (day.month, day.day) < (12, 29) or day.year + 1 in self._documents:
            return False
        return date(day.year + 1, 1, 1).weekday() == _TUESDAY


@cache
def standard_calendar() -> WorkingCalendar:
    """The calendar of the notices that ship with the program, checked as any imported file."""
    with resources.as_file(resources.files(__name__)) as folder:
        return WorkingCalendar(load_notice(file) for file in sorted(Path(folder).glob("notice_*.toml")))


_source: Callable[[], WorkingCalendar] = standard_calendar


def install_calendar(source: Callable[[], WorkingCalendar] = standard_calendar) -> None:
    """Say where `current_calendar` comes from: a process of a node installs the one with the imported notices."""
    global _source
    _source = source


def current_calendar() -> WorkingCalendar:
    """The calendar that this process goes by; the notices that ship, until another source is installed."""
    return _source()


def is_working_day(day: date, calendar: WorkingCalendar | None = None) -> DayKind:
    """What kind of day it is, by the calendar of this process or by one's own.

    >>> is_working_day(date(2026, 10, 10)).reason.en
    'weekend day worked instead of a holiday'
    """
    return (calendar or current_calendar()).is_working_day(day)


def add_working_days(start: date, days: int, calendar: WorkingCalendar | None = None) -> DueDate:
    """The due date `days` working days after a day (R2: 7). Refused: CALENDAR_DAYS.

    >>> add_working_days(date(2026, 9, 25), 7).day.isoformat()
    '2026-10-12'
    """
    return (calendar or current_calendar()).add_working_days(start, days)
