"""Working days (R2): a card promised for the wrong day sends somebody to the outlet in vain."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import chinese_calendar
import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.calendar import (
    WorkingCalendar,
    add_working_days,
    check_notice,
    is_working_day,
    standard_calendar,
)
from sheka.foundation.refusals import Code

YEARS = (2025, 2026)
NOTICE_2027 = {  # invented: the notice of 2027 is not published
    "year": 2027,
    "title": "演示用放假安排",
    "document": "演示〔2026〕1号",
    "issued": date(2026, 11, 30),
    "statutory_days": 6,
    "working_weekends": [date(2027, 1, 9)],
    "holidays": [
        {"name": {"zh": "元旦", "en": "New Year"}, "days": [date(2027, 1, 1), date(2027, 1, 4)]},
        {"name": {"zh": "劳动节", "en": "Labour Day"}, "days": [date(2027, 5, 1), date(2027, 5, 3)]},
        {"name": {"zh": "国庆节", "en": "National Day"}, "days": [date(2027, 10, 1), date(2027, 10, 6)]},
    ],
}


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=number) for number in range(365)]


@pytest.mark.req("R2")
@pytest.mark.parametrize("year", YEARS)
def test_every_day_agrees_with_two_other_calendars(year: int) -> None:
    public = holidays.country_holidays("CN", years=year)
    for day in days_of(year):
        ours = is_working_day(day)
        assert ours.working == chinese_calendar.is_workday(day) == public.is_working_day(day), day
        assert not ours.provisional and ours.day == day


@pytest.mark.req("R2")
@pytest.mark.parametrize("year", YEARS)
def test_days_off_of_the_law(year: int) -> None:
    (notice,) = (notice for notice in standard_calendar().notices if notice.year == year)
    assert notice.statutory_days == 13
    assert (notice.title, notice.document[:4]) == (f"国务院办公厅关于{year}年部分节假日安排的通知", "国办发明")


@pytest.mark.req("R2")
@pytest.mark.parametrize(
    ("start", "due"),
    [
        (date(2026, 9, 25), date(2026, 10, 12)),  # over National Day, with 10 October worked
        (date(2026, 11, 20), date(2026, 12, 1)),
        (date(2026, 2, 13), date(2026, 3, 2)),  # over Spring Festival, with the Saturdays 14 and 28 February worked
        (date(2025, 1, 24), date(2025, 2, 10)),
    ],
)
def test_seven_working_days(start: date, due: date) -> None:
    found = add_working_days(start, 7)
    assert (found.day, found.provisional) == (due, False)
    assert sum(kind.working for kind in found.strip) == 7


@pytest.mark.req("R2")
@given(st.dates(date(2025, 1, 1), date(2027, 12, 31)), st.integers(1, 40))
def test_the_strip_has_every_day_and_ends_on_the_last_working_day(start: date, days: int) -> None:
    found = add_working_days(start, days)
    assert [kind.day for kind in found.strip] == [
        start + timedelta(days=number) for number in range(1, len(found.strip) + 1)
    ]
    assert found.strip[-1].working and found.strip[-1].day == found.day
    assert sum(kind.working for kind in found.strip) == days
    assert found.provisional == any(kind.provisional for kind in found.strip)


@pytest.mark.req("R2")
@given(st.dates(date(2025, 1, 1), date(2026, 11, 1)), st.integers(1, 20), st.integers(1, 20))
def test_counting_goes_on_where_it_stopped(start: date, first: int, second: int) -> None:
    middle = add_working_days(start, first).day
    assert add_working_days(middle, second).day == add_working_days(start, first + second).day


@pytest.mark.req("R2")
def test_an_unpublished_year_is_provisional_and_says_so() -> None:
    monday = is_working_day(date(2027, 3, 1))
    assert monday.working and monday.provisional
    assert "2027" in monday.reason.zh and "暂定" in monday.reason.zh and "provisional" in monday.reason.en
    assert not is_working_day(date(2027, 3, 6)).working


@pytest.mark.req("R2")
@pytest.mark.parametrize("year", [2024, 2027, 2031])
def test_only_fixed_dates_are_taken_for_granted(year: int) -> None:
    free = [day for day in days_of(year) if day.weekday() < 5 and not is_working_day(day).working]
    fixed = [(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)]
    assert free == [date(year, *day) for day in fixed if date(year, *day).weekday() < 5]
    assert all(is_working_day(day).provisional for day in days_of(year))


@pytest.mark.req("R2")
def test_a_due_date_that_reaches_into_an_unpublished_year_is_provisional() -> None:
    found = add_working_days(date(2026, 12, 28), 7)
    assert found.provisional and found.day == date(2027, 1, 7)
    assert [kind.provisional for kind in found.strip[:3]] == [False, False, False]


@pytest.mark.req("R2")
def test_the_due_date_is_recounted_when_the_notice_arrives() -> None:
    later = standard_calendar().with_notice(check_notice(NOTICE_2027))
    found = add_working_days(date(2026, 12, 28), 7, later)
    assert (found.day, found.provisional) == (date(2027, 1, 8), False)
    assert is_working_day(date(2027, 1, 9), later).working
    assert later.published_years == (2025, 2026, 2027)
    assert standard_calendar().published_years == YEARS


@pytest.mark.req("R2")
def test_the_last_days_of_december_wait_for_a_new_year_on_a_tuesday() -> None:
    """In 2018 the notice of 2019 moved the 29th, a Saturday, and the 31st, a Monday."""
    raw = {**NOTICE_2027, "year": 2029, "working_weekends": [], "statutory_days": 6, "holidays": fixed_only(2029)}
    calendar = WorkingCalendar([check_notice(raw)])
    assert date(2030, 1, 1).weekday() == 1
    assert [calendar.is_working_day(date(2029, 12, day)).provisional for day in (28, 29, 30, 31)] == [
        False,
        True,
        True,
        True,
    ]


def fixed_only(year: int) -> list[dict[str, Any]]:
    spans = [((1, 1), (1, 1)), ((5, 1), (5, 2)), ((10, 1), (10, 3))]
    name = {"zh": "节日", "en": "Holiday"}
    return [{"name": name, "days": [date(year, *first), date(year, *last)]} for first, last in spans]


@pytest.mark.req("R2")
def test_a_second_notice_of_a_year_must_say_that_it_amends(refused_by: Any) -> None:
    calendar = standard_calendar().with_notice(check_notice(NOTICE_2027))
    with refused_by(Code.CALENDAR_YEAR_PUBLISHED):
        calendar.with_notice(check_notice(NOTICE_2027))
    longer = {
        **NOTICE_2027,
        "amends": True,
        "issued": date(2027, 4, 20),
        "working_weekends": [],
        "holidays": [{"name": {"zh": "劳动节", "en": "Labour Day"}, "days": [date(2027, 5, 4), date(2027, 5, 4)]}],
    }
    assert calendar.is_working_day(date(2027, 5, 4)).working
    assert not calendar.with_notice(check_notice(longer)).is_working_day(date(2027, 5, 4)).working
    with refused_by(Code.CALENDAR_NOTHING_TO_AMEND):
        standard_calendar().with_notice(check_notice(longer))


@pytest.mark.parametrize("days", [0, -1, 401])
def test_days_outside_the_range(days: int, refused_by: Any) -> None:
    with refused_by(Code.CALENDAR_DAYS):
        add_working_days(date(2026, 1, 1), days)


def test_a_time_is_not_a_date() -> None:
    with pytest.raises(TypeError, match="date is needed"):
        is_working_day(datetime(2026, 10, 1, 23, 0))  # noqa: DTZ001
