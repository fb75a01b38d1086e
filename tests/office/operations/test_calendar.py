"""The holiday notice of a year: checked, frozen, compared by a second person, then every promised day counted anew."""

from __future__ import annotations

from datetime import date

import pytest
from tests.support.notices import NOTICE_2027 as NOTICE

from sheka.foundation.calendar import add_working_days, current_calendar, install_calendar, standard_calendar
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.jobs.models import JobRun
from sheka.office.operations import calendars
from sheka.office.operations.actions.decide_notice import decide_notice
from sheka.office.operations.actions.propose_notice import propose_notice
from sheka.office.operations.calendars import forget_calendar, working_calendar
from sheka.office.operations.models import HolidayNotice
from sheka.office.work.models import WorkItem

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh():
    forget_calendar()
    yield
    install_calendar()
    forget_calendar()


@pytest.fixture
def first(appoint):
    return appoint("he", "460100", "business_administrator")


@pytest.fixture
def second(appoint):
    return appoint("feng", "460100", "business_administrator")


def code_of(call):
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code


def test_a_second_person_puts_it_into_force_and_the_calendar_of_the_process_has_it(first, second):
    row = propose_notice(first, NOTICE)
    assert working_calendar().published_years == standard_calendar().published_years
    assert WorkItem.objects.get(subject="calendar:2027").permission == "calendar.manage"
    decide_notice(second, notice_id=row.pk, digest=row.digest, verb="publish")
    assert 2027 in working_calendar().published_years
    assert current_calendar() is standard_calendar()
    install_calendar(working_calendar)
    due = add_working_days(date(2027, 2, 3), 7)
    assert (due.day, due.provisional) == (date(2027, 2, 19), False)
    assert not WorkItem.objects.exclude(state="done").exists()
    assert [event.event for event in Event.objects.filter(subject="calendar:2027").order_by("sequence")] == [
        "calendar.proposed",
        "calendar.published",
    ]


def test_its_proposer_cannot_decide_not_even_with_a_second_account(first, appoint):
    row = propose_notice(first, NOTICE)
    twin = appoint("he2", "460100", "business_administrator", person="he")
    for actor in (first, twin):
        assert code_of(
            lambda actor=actor: decide_notice(actor, notice_id=row.pk, digest=row.digest, verb="publish")
        ) is (Code.CALENDAR_OWN)


def test_what_is_decided_is_what_was_seen(first, second):
    row = propose_notice(first, NOTICE)
    assert code_of(lambda: decide_notice(second, notice_id=row.pk, digest="0" * 64, verb="publish")) is (
        Code.CALENDAR_STALE
    )
    HolidayNotice.objects.update(content={**NOTICE, "working_weekends": []})
    assert code_of(lambda: decide_notice(second, notice_id=row.pk, digest=row.digest, verb="publish")) is (
        Code.CALENDAR_STALE
    )


def test_it_is_rejected_with_a_reason_or_withdrawn_by_its_proposer(first, second):
    row = propose_notice(first, NOTICE)
    assert code_of(lambda: decide_notice(second, notice_id=row.pk, digest=row.digest, verb="reject")) is (
        Code.CALENDAR_REASON
    )
    assert code_of(lambda: decide_notice(second, notice_id=row.pk, digest=row.digest, verb="withdraw")) is (
        Code.CALENDAR_NOT_YOURS
    )
    decide_notice(second, notice_id=row.pk, digest=row.digest, verb="reject", reason="第三行日期不符")
    again = propose_notice(first, NOTICE)
    decide_notice(first, notice_id=again.pk, digest=again.digest, verb="withdraw")
    assert working_calendar().published_years == standard_calendar().published_years
    assert code_of(lambda: decide_notice(second, notice_id=row.pk, digest=row.digest, verb="publish")) is (
        Code.STATE_FORBIDS
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"working_weekends": ["2027-02-19"]}, Code.CALENDAR_NOT_A_WEEKEND),
        ({"working_weekends": []}, Code.CALENDAR_BALANCE),
        ({"issued": "soon"}, Code.CALENDAR_FIELD),
        ({"year": 2026}, Code.CALENDAR_DAY_OUTSIDE),
        ({"amends": True}, Code.CALENDAR_NOTHING_TO_AMEND),
    ],
)
def test_a_notice_that_cannot_be_is_refused_before_anybody_sees_it(first, change, code):
    assert code_of(lambda: propose_notice(first, {**NOTICE, **change})) is code
    assert not HolidayNotice.objects.exists()


def test_one_proposal_a_year_and_one_notice_a_year(first, second):
    row = propose_notice(first, NOTICE)
    assert code_of(lambda: propose_notice(second, NOTICE)) is Code.CALENDAR_PROPOSED
    decide_notice(second, notice_id=row.pk, digest=row.digest, verb="publish")
    assert code_of(lambda: propose_notice(first, NOTICE)) is Code.CALENDAR_YEAR_PUBLISHED
    change = propose_notice(
        first, {**NOTICE, "amends": True, "holidays": [], "working_weekends": ["2027-12-25"], "document": "调整"}
    )
    decide_notice(second, notice_id=change.pk, digest=change.digest, verb="publish")
    assert working_calendar().is_working_day(date(2027, 12, 25)).working


def test_publishing_starts_the_jobs_that_count_promised_days_anew(first, second, monkeypatch):
    row = propose_notice(first, NOTICE)
    monkeypatch.setattr(calendars, "_known", None)
    decide_notice(second, notice_id=row.pk, digest=row.digest, verb="publish")
    run = JobRun.objects.get(name="cards.recount_promised_days")
    assert (run.args, run.staff_id) == ({"year": 2027}, second.staff_id)


def test_a_process_proposes_nothing(installer, tree):
    assert code_of(lambda: propose_notice(installer, NOTICE)) is Code.CALENDAR_NEEDS_PERSON
