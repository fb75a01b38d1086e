"""What an exchange costs and when it is ready: the boundary of the free year, the days that are counted (R2, R5)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.foundation.calendar import is_working_day
from sheka.foundation.refusals import Code, Refused
from sheka.systems.cards import policy
from sheka.systems.cards.actions.apply_exchange import due_day
from sheka.systems.cards.fees import Cause, Ground, decide_fee, last_free_day

DAYS = st.dates(date(2025, 1, 1), date(2026, 12, 31))
FEE = 1600
TERM = {"years": 1, "extends_over_holidays": True}

settings.register_profile("cards", deadline=None, max_examples=80)
settings.load_profile("cards")


def fee(received, applied, ground=Ground.DAMAGED, cause=Cause.QUALITY_DEFECT):
    return decide_fee(ground=ground, cause=cause, received_on=received, applied_on=applied)


@pytest.mark.req("R5")
@pytest.mark.parametrize(
    ("received", "applied", "rule"),
    [
        (date(2026, 3, 3), date(2026, 3, 3), "free_within_term"),
        (date(2025, 3, 3), date(2026, 3, 3), "free_within_term"),  # a Tuesday: the last day itself
        (date(2025, 3, 3), date(2026, 3, 4), "paid_after_term"),
        (date(2025, 3, 7), date(2026, 3, 9), "free_within_term"),  # 7 March 2026 is a Saturday: Monday still counts
        (date(2025, 3, 7), date(2026, 3, 10), "paid_after_term"),
        (date(2025, 10, 1), date(2026, 10, 8), "free_within_term"),  # National Day 1 to 7 October 2026
        (date(2025, 10, 1), date(2026, 10, 9), "paid_after_term"),
        (date(2025, 10, 10), date(2026, 10, 10), "free_within_term"),  # a Saturday worked: no day of rest
        (date(2025, 10, 10), date(2026, 10, 12), "paid_after_term"),
        (None, date(2026, 3, 3), "paid_no_receipt_date"),
    ],
)
def test_a_quality_defect_is_free_for_a_year_from_receipt_and_no_longer(received, applied, rule):
    found = fee(received, applied)
    assert found.rule == rule
    assert found.fen == (0 if rule == "free_within_term" else FEE)
    assert found.working["received_on"] == (received.isoformat() if received else None)


@pytest.mark.req("R5")
@pytest.mark.parametrize(
    ("ground", "cause", "rule"),
    [
        (Ground.DAMAGED, Cause.PEOPLE, "paid_not_quality"),
        (Ground.DAMAGED, Cause.WEAR, "paid_not_quality"),
        (Ground.DAMAGED, None, "paid_not_quality"),
        (Ground.DATA_CHANGED, None, "paid_data_changed"),
        (Ground.DATA_CHANGED, Cause.QUALITY_DEFECT, "paid_data_changed"),
    ],
)
def test_every_other_exchange_is_paid(ground, cause, rule):
    found = fee(date(2026, 3, 2), date(2026, 3, 3), ground, cause)
    assert (found.rule, found.fen) == (rule, FEE)


def test_who_received_on_29_february_has_a_year_to_the_28th():
    assert last_free_day(date(2024, 2, 29), years=1, extends_over_holidays=False) == date(2025, 2, 28)


@pytest.mark.req("R5")
@given(received=DAYS, later=st.integers(0, 420))
def test_the_year_is_free_to_its_last_day_and_never_turns_free_again(received, later):
    applied = received + timedelta(days=later)
    if applied > date(2026, 12, 31) or applied < date(2026, 1, 1):
        return
    last = last_free_day(received, **TERM)
    assert fee(received, applied).free == (applied <= last)
    assert 365 <= (last - received).days <= 365 + 10
    assert is_working_day(last).working
    anniversary = received.replace(year=received.year + 1)
    rest = (anniversary + timedelta(days=days) for days in range((last - anniversary).days))
    assert not any(is_working_day(day).working for day in rest)


@given(received=DAYS, applied=st.dates(date(2026, 1, 1), date(2026, 12, 31)), cause=st.sampled_from([*Cause, None]))
def test_a_fee_is_nothing_or_the_policy_s_and_shows_its_working(received, applied, cause):
    found = fee(received, applied, cause=cause)
    assert found.fen in (0, FEE)
    assert found.working["fen"] == found.fen and found.working["rule"] == found.rule
    assert found.working["fee_source"] and found.working["term_source"]


@pytest.mark.req("R2")
@pytest.mark.parametrize(
    ("applied", "due"),
    [
        (date(2026, 3, 2), date(2026, 3, 11)),
        (date(2026, 9, 25), date(2026, 10, 12)),  # Mid-Autumn, National Day, and two Saturdays worked
        (date(2026, 2, 13), date(2026, 3, 2)),  # Spring Festival
    ],
)
def test_the_card_is_ready_seven_working_days_after_the_application(applied, due):
    assert (due_day(applied).day, due_day(applied).provisional) == (due, False)


@pytest.mark.req("R2")
@given(applied=st.dates(date(2025, 1, 1), date(2026, 12, 31)))
def test_seven_working_days_lie_between_application_and_due_day(applied):
    due = due_day(applied)
    days = [applied + timedelta(days=offset) for offset in range(1, (due.day - applied).days + 1)]
    assert sum(is_working_day(day).working for day in days) == 7
    assert is_working_day(due.day).working
    assert [kind.day for kind in due.strip] == days
    assert due.provisional == any(is_working_day(day).provisional for day in days)


@pytest.mark.req("R2")
def test_a_due_day_in_an_unpublished_year_says_that_it_is_provisional():
    assert due_day(date(2026, 12, 28)).provisional
    assert not due_day(date(2026, 12, 1)).provisional


def test_a_day_without_a_fee_in_the_policy_is_refused_not_free():
    with pytest.raises(Refused) as caught:
        fee(date(2024, 12, 1), date(2025, 6, 1), cause=Cause.PEOPLE)
    assert caught.value.code is Code.POLICY_NO_ROW


def test_a_policy_with_two_values_on_one_day_or_without_a_source_stops(tmp_path, monkeypatch):
    monkeypatch.setenv("SHEKA_POLICY", str(tmp_path))
    row = '[[fee]]\nvalid_from = 2026-01-01\nfen = 1\nsource = "x"\n'
    (tmp_path / "exchange.toml").write_text(row + row)
    with pytest.raises(Refused) as twice:
        policy.in_force(policy.EXCHANGE, "fee", date(2026, 5, 1))
    (tmp_path / "exchange.toml").write_text("[[fee]]\nvalid_from = 2026-01-01\nfen = 1\n# no source\n")
    with pytest.raises(Refused) as bare:
        policy.in_force(policy.EXCHANGE, "fee", date(2026, 5, 1))
    assert (twice.value.code, bare.value.code) == (Code.POLICY_TWO_ROWS, Code.POLICY_ROW_BAD)


def test_a_value_ends_on_the_day_before_its_successor(tmp_path, monkeypatch):
    monkeypatch.setenv("SHEKA_POLICY", str(tmp_path))
    old = '[[fee]]\nvalid_from = 2026-01-01\nvalid_to = 2026-07-01\nfen = 1\nsource = "x"\n'
    (tmp_path / "exchange.toml").write_text(old + '[[fee]]\nvalid_from = 2026-07-01\nfen = 2\nsource = "y"\n')
    found = [policy.in_force(policy.EXCHANGE, "fee", date(2026, month, day))["fen"] for month, day in ((6, 30), (7, 1))]
    assert found == [1, 2]
