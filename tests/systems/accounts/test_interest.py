"""Interest by day-end balances, exact to the fen, decided by two people, booked once (S6)."""

from __future__ import annotations

import random
import shutil
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from tests.support.approvals import POLICY, decided
from tests.support.payments import CITY, make_cards

from sheka.foundation.money import Rounding, share
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.actions.withdraw import withdraw
from sheka.office.jobs.models import JobRun
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.book_interest import book_interest, resume_interest
from sheka.systems.accounts.actions.change_state import close_account, freeze_account, release_account
from sheka.systems.accounts.actions.correct_posting import propose_correction
from sheka.systems.accounts.actions.deposit import Deposit, deposit
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.actions.propose_ending import propose_closing
from sheka.systems.accounts.actions.reckon_interest import propose_interest, reckon_interest, withdraw_interest
from sheka.systems.accounts.interest import accrued, weights
from sheka.systems.accounts.models import Account, Entry, InterestRun, Kind, Payout
from sheka.systems.accounts.policy import Rate, rates
from sheka.systems.accounts.queries import balance, verify_ledger

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S6")]
ZONE = ZoneInfo("Asia/Shanghai")
FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)


@pytest.fixture
def node(tree):
    return Actor.process("test", CITY)


@pytest.fixture
def officer(appoint):
    return appoint("accounts", CITY, "account_officer")


@pytest.fixture
def supervisor(appoint):
    return appoint("supervisor", CITY, "account_supervisor")


@pytest.fixture
def paid(tree, node):
    """paid([(place, day, fen), …]) → three accounts with deposits as if they had been booked on those days."""
    fund = open_party_account(node, kind=Kind.FUND, party="310")
    accounts = open_accounts(node, person_ids=[card.person_id for card in make_cards(tree[CITY], 3)])

    def pay(rows):
        moments = {}
        for place, day, amount in rows:
            (one,) = deposit(node, fund=fund, deposits=[Deposit(uuid.uuid4(), accounts[place], amount)], total=amount)
            moments[one.posting] = datetime.combine(day, time(23, 59), ZONE)
        dsn = settings.NODE.cluster.dsn(settings.NODE.file.database.name, "postgres")
        with psycopg.connect(dsn) as administrator:
            administrator.execute("SET session_replication_role = replica")
            for posting, at in moments.items():
                administrator.execute("UPDATE accounts_entry SET booked_at = %s WHERE posting_id = %s", [at, posting])
        return accounts

    return pay


def policy(tmp_path, monkeypatch, *rows):
    """Rates of a test: (first day, annual, day count, rounding)."""
    made = tmp_path / "policy"
    shutil.copytree(POLICY, made)
    text = "".join(
        f'[[interest]]\nscheme = "310"\nvalid_from = {first}\n{_until(until)}annual = "{annual}"\n'
        f'day_count = {count}\nbase = "day_end_balance"\nrounding = "{rule}"\nfund = "310"\nsource = "test"\n'
        for first, until, annual, count, rule in rows
    )
    (made / "interest.toml").write_text(text, "utf-8")
    monkeypatch.setenv("SHEKA_POLICY", str(made))


def _until(day) -> str:
    return f"valid_to = {day}\n" if day else ""


def by_hand(entries, terms, first, last) -> Fraction:
    """Day after day, as somebody with a sheet of paper would."""
    total, day = Fraction(0), first
    while day <= last:
        held = sum(amount for on, amount in entries if on <= day)
        rate = next(one for one in terms if one.first <= day <= one.last)
        total += held * Fraction(rate.annual) / rate.day_count
        day += timedelta(days=1)
    return total


@pytest.mark.parametrize("rule", list(Rounding))
def test_the_set_reckons_what_a_sheet_of_paper_does(paid, tmp_path, monkeypatch, rule):
    policy(
        tmp_path,
        monkeypatch,
        (date(2020, 1, 1), date(2025, 4, 11), "0.0035", 365, rule.value),
        (date(2025, 4, 11), date(2025, 9, 1), "0.0125", 360, rule.value),
        (date(2025, 9, 1), None, "0", 365, rule.value),
    )
    chance = random.Random(rule.value)
    rows = [
        (chance.randrange(3), date(2024, 6, 1) + timedelta(days=chance.randrange(600)), chance.randrange(1, 90_000))
        for _ in range(30)
    ]
    accounts = paid(rows)
    for place, account in enumerate(accounts):
        entries = [(day, amount) for on, day, amount in rows if on == place]
        got, terms = accrued(account.pk, "310", CITY, FIRST, LAST)
        exact = by_hand(entries, terms, FIRST, LAST)
        assert got == int(
            Decimal(exact.numerator * 10**9 // exact.denominator).scaleb(-9).quantize(Decimal(1), rule.value)
        )
        assert len(terms) == 3


def test_the_rates_of_a_stretch_lie_side_by_side(tmp_path, monkeypatch, db):
    policy(
        tmp_path,
        monkeypatch,
        (date(2025, 3, 1), None, "0.01", 365, "ROUND_HALF_UP"),
    )
    with pytest.raises(Refused) as refusal:
        rates("310", FIRST, LAST)
    assert refusal.value.code is Code.ACCOUNT_POLICY
    assert [(one.first, one.last) for one in rates("310", date(2025, 3, 1), LAST)] == [(date(2025, 3, 1), LAST)]
    terms = [
        Rate(FIRST, date(2025, 1, 31), Decimal("0.01"), 365, Rounding.DOWN, "310", "test"),
        Rate(date(2025, 2, 1), LAST, Decimal("0.01"), 365, Rounding.UP, "310", "test"),
    ]
    with pytest.raises(Refused) as refusal:
        weights(terms)
    assert refusal.value.code is Code.ACCOUNT_POLICY


@pytest.mark.django_db(transaction=False)
@given(st.decimals("0", "0.2", places=6), st.sampled_from((360, 365, 366)), st.integers(1, 400))
def test_a_constant_balance_bears_rate_times_days(annual, count, days):
    last = FIRST + timedelta(days=days - 1)
    found = weights([Rate(FIRST, last, annual, count, Rounding.HALF_UP, "310", "test")])
    assert Fraction(found.top[0], found.bottom) == Fraction(annual) * days / count
    assert len(found.top) == len(found.days) == days
    assert list(found.top) == sorted(found.top, reverse=True)


def test_a_year_is_reckoned_decided_by_another_and_booked_once(paid, officer, supervisor, node):
    accounts = paid([(0, date(2024, 5, 5), 1_000_000), (1, date(2025, 7, 2), 500_000), (2, date(2026, 1, 2), 9_000)])
    for year, code in ((2026, Code.INTEREST_YEAR), (1999, Code.INTEREST_YEAR), (2022, Code.INTEREST_NOTHING)):
        with pytest.raises(Refused) as refusal:
            reckon_interest(officer, year=year)
        assert refusal.value.code is code
    run = reckon_interest(officer, year=2025)
    want = [3500, share(500_000 * 183, Decimal("0.0035") / 365, Rounding.HALF_UP)]
    assert list(run.rows.order_by("account_id").values_list("amount", flat=True)) == want
    assert (run.accounts, run.total, run.state) == (2, sum(want), "reckoned")
    with pytest.raises(Refused) as refusal:
        reckon_interest(officer, year=2025)
    assert refusal.value.code is Code.INTEREST_RUN_EXISTS
    first = propose_interest(officer, number=run.number)
    with pytest.raises(Refused) as refusal:
        withdraw_interest(officer, number=run.number)
    assert refusal.value.code is Code.STATE_FORBIDS
    withdraw(officer, proposal_id=first.pk, reason="费率有误")
    withdraw_interest(officer, number=run.number)
    run = reckon_interest(officer, year=2025)
    request = propose_interest(officer, number=run.number)
    with pytest.raises(Refused) as refusal:
        decided(officer, request)
    assert refusal.value.code in (Code.APPROVAL_OWN, Code.PERMISSION_MISSING)
    freeze_account(node, number=accounts[1].number, reason="court order")
    decided(supervisor, request)
    run.refresh_from_db()
    assert run.state == "booking" and JobRun.objects.get(pk=run.job).name == "accounts.book_interest"
    before = [balance(account) for account in accounts]
    run = book_interest(node, run.number)
    assert (run.state, run.booked, run.waiting) == ("booked", 1, 1)
    assert book_run_again(node, run) == Code.STATE_FORBIDS
    release_account(node, number=accounts[1].number, reason="lifted")
    resume_interest(supervisor, number=run.number)
    run = book_interest(node, run.number)
    assert (run.booked, run.booked_total, run.waiting) == (2, sum(want), 0)
    assert [balance(account) - was for account, was in zip(accounts, before, strict=True)] == [*want, 0]
    found = verify_ledger()
    assert [one for one in found if "running" not in one.fault] == []


def book_run_again(node, run):
    with pytest.raises(Refused) as refusal:
        book_interest(node, run.number)
    return refusal.value.code


def test_interest_that_the_ledger_refused_once_is_booked_when_it_can_be(paid, officer, supervisor, node, superuser):
    """A refused number stays refused: the next turn of the run takes a new one, and pays no line twice."""
    accounts = paid([(0, date(2024, 5, 5), 1_000_000), (1, date(2024, 5, 5), 2_000_000)])
    run = reckon_interest(officer, year=2025)
    decided(supervisor, propose_interest(officer, number=run.number))
    with superuser() as administrator:
        administrator.execute("UPDATE accounts_account SET upper_limit = balance WHERE id = %s", [accounts[1].pk])
    assert book_interest(node, run.number).waiting == 1
    with superuser() as administrator:
        administrator.execute("UPDATE accounts_account SET upper_limit = NULL")
    resume_interest(supervisor, number=run.number)
    run = book_interest(node, run.number)
    assert (run.waiting, run.booked, run.booked_total) == (0, 2, 3_500 + 7_000)
    resume_interest(supervisor, number=run.number)
    assert book_interest(node, run.number).booked_total == 3_500 + 7_000
    assert [balance(account) for account in accounts[:2]] == [1_003_500, 2_007_000]


def test_an_account_that_ends_gets_the_interest_that_still_waited(paid, officer, supervisor, node):
    """Frozen while the year was booked, released, and paid out before the run was resumed."""
    accounts = paid([(0, date(2024, 5, 5), 1_000_000), (1, date(2024, 5, 5), 2_000_000)])
    run = reckon_interest(officer, year=2025)
    freeze_account(node, number=accounts[1].number, reason="court order")
    decided(supervisor, propose_interest(officer, number=run.number))
    assert book_interest(node, run.number).waiting == 1
    release_account(node, number=accounts[1].number, reason="lifted")
    payee = {"name": "王小明", "bank": "中国银行海口分行", "bank_account": "6216610000001234"}
    request = propose_closing(officer, number=accounts[1].number, reason="注销", document="2026-1", **payee)
    decided(supervisor, request)
    assert Payout.objects.get().amount == 2_000_000 + 7_000
    resume_interest(supervisor, number=run.number)
    assert book_interest(node, run.number).waiting == 0
    assert Account.objects.get(pk=accounts[1].pk).balance == 0


def test_an_account_that_ends_gets_the_year_that_nobody_reckoned_from_the_fund_of_the_policy(
    paid, officer, supervisor, node, superuser, tmp_path, monkeypatch
):
    policy(tmp_path, monkeypatch, (date(2021, 1, 1), None, "0.0035", 365, "ROUND_HALF_UP"))
    file = tmp_path / "policy" / "interest.toml"
    file.write_text(file.read_text("utf-8").replace('fund = "310"', 'fund = "311"'), "utf-8")
    fund = open_party_account(node, kind=Kind.FUND, party="311")
    (account, *_) = paid([(0, date(2024, 5, 5), 2_000_000)])
    with superuser() as administrator:
        administrator.execute("UPDATE accounts_account SET opened_at = '2024-05-05 01:00+08'")
    run = reckon_interest(officer, year=2025)
    decided(supervisor, propose_interest(officer, number=run.number))
    assert book_interest(node, run.number).booked_total == 7_000
    payee = {"name": "王小明", "bank": "中国银行海口分行", "bank_account": "6216610000001234"}
    decided(supervisor, propose_closing(officer, number=account.number, reason="注销", document="2026-1", **payee))
    yesterday = timezone.localdate() - timedelta(days=1)
    of_2024 = share(2_000_000 * 241, Decimal("0.0035") / 365, Rounding.HALF_UP)
    of_this = share(2_000_000 * (yesterday - LAST).days, Decimal("0.0035") / 365, Rounding.HALF_UP)
    assert Payout.objects.get().amount == 2_007_000 + of_2024 + of_this
    assert balance(fund) == -(7_000 + of_2024 + of_this)


def test_an_account_that_ended_before_its_year_was_decided_is_paid_once_and_waits_for_nothing(
    paid, officer, supervisor, node, superuser
):
    accounts = paid([(0, date(2024, 12, 31), 1_000_000), (1, date(2024, 12, 31), 2_000_000)])
    with superuser() as administrator:
        administrator.execute("UPDATE accounts_account SET opened_at = '2024-12-31 01:00+08'")
    run = reckon_interest(officer, year=2025)
    payee = {"name": "王小明", "bank": "中国银行海口分行", "bank_account": "6216610000001234"}
    decided(supervisor, propose_closing(officer, number=accounts[1].number, reason="注销", document="2026-1", **payee))
    assert Payout.objects.get().amount > 2_000_000 + 7_000
    decided(supervisor, propose_interest(officer, number=run.number))
    run = book_interest(node, run.number)
    assert (run.booked, run.booked_total, run.waiting) == (1, 3_500, 0)
    assert balance(accounts[1]) == 0


def test_an_empty_account_is_not_closed_over_the_interest_that_it_still_gets(paid, officer, supervisor, superuser):
    """Spent to the last fen this year: what it bore until then is paid out, not lost."""
    account, other, unused = paid([(0, date(2024, 5, 5), 2_000_000), (1, date(2025, 1, 1), 1_000_000)])
    with superuser() as administrator:
        administrator.execute("UPDATE accounts_account SET opened_at = '2024-05-05 01:00+08'")
    for one in (account, other):
        propose = propose_correction(
            officer,
            account=one.number,
            posting=Entry.objects.get(account=one).posting_id,
            amount=balance(one),
            reason="test",
            document="2026-2",
        )
        decided(supervisor, propose)
    assert balance(account) == 0
    with pytest.raises(Refused) as refusal:
        close_account(officer, number=account.number, reason="注销")
    assert refusal.value.code is Code.ACCOUNT_NOT_EMPTY
    payee = {"name": "王小明", "bank": "中国银行海口分行", "bank_account": "6216610000001234"}
    decided(supervisor, propose_closing(officer, number=account.number, reason="注销", document="2026-1", **payee))
    assert Payout.objects.get().amount > 7_000
    assert balance(account) == 0
    assert close_account(officer, number=unused.number, reason="never used").state == "closed"


def test_lines_that_were_altered_are_not_approved(paid, officer, supervisor):
    paid([(0, date(2024, 5, 5), 1_000_000)])
    run = reckon_interest(officer, year=2025)
    request = propose_interest(officer, number=run.number)
    run.rows.update(amount=350_000)
    with pytest.raises(Refused) as refusal:
        decided(supervisor, request)
    assert refusal.value.code is Code.INTEREST_ALTERED
    assert InterestRun.objects.get().state == "proposed"
