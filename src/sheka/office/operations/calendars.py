"""The working calendar of a node: the notices that ship with the program, and those that were imported here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date
from threading import Lock
from typing import Any

from django.db.models import Count, Max

from sheka.foundation.calendar import Notice, WorkingCalendar, check_notice, standard_calendar
from sheka.office.operations.models import HolidayNotice

LOOK_SECONDS = 1.0
_lock = Lock()
_known: tuple[object, WorkingCalendar] | None = None
_looked = 0.0
RECOUNTS: list[str] = []
"""The jobs (by name, with the argument `year`) that count promised days anew when a notice comes into force."""


def recounts_when_published(job: str) -> None:
    """A system declares its job in its module `jobs`."""
    if job not in RECOUNTS:
        RECOUNTS.append(job)


def working_calendar() -> WorkingCalendar:
    """The calendar in force. A process looks once a second whether a notice was added."""
    global _known, _looked
    with _lock:
        if _known is not None and time.monotonic() - _looked < LOOK_SECONDS:
            return _known[1]
        version = tuple(_in_force().aggregate(last=Max("decided_at"), number=Count("pk")).values())
        if _known is None or _known[0] != version:
            _known = (version, calendar_of(_in_force()))
        _looked = time.monotonic()
        return _known[1]


def forget_calendar() -> None:
    """Look again at the next question: a notice has just come into force here."""
    global _known
    with _lock:
        _known = None


def calendar_of(rows: Any) -> WorkingCalendar:
    """The standard calendar with these notices in the order in which they came into force."""
    calendar = standard_calendar()
    for row in rows:
        calendar = calendar.with_notice(notice_of(row.content))
    return calendar


def notice_of(content: Mapping[str, Any]) -> Notice:
    """A notice from its frozen content (JSON), checked as any file. Refused as foundation.calendar.check_notice."""
    raw = dict(content)
    raw["issued"] = _day(raw.get("issued"))
    raw["working_weekends"] = [_day(day) for day in raw.get("working_weekends", ())]
    raw["holidays"] = [
        {**holiday, "days": [_day(day) for day in holiday.get("days", ())]} for holiday in raw.get("holidays", ())
    ]
    return check_notice(raw)


def _day(text: object) -> object:
    """A date from its ISO text; anything else as it is, for the check to refuse."""
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return text


def _in_force() -> Any:
    return HolidayNotice.objects.filter(state="in_force").order_by("decided_at", "pk")
