"""Accounts and the ledger: opened at zero, paid in once, never overdrawn, and provable at any time (S6, C2)."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.support.payments import CITY, make_cards

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.change_state import close_account, freeze_account, release_account
from sheka.systems.accounts.actions.deposit import Deposit, deposit
from sheka.systems.accounts.actions.open_account import open_account, open_accounts, open_party_account
from sheka.systems.accounts.models import Account, Entry, Kind
from sheka.systems.accounts.queries import (
    account_numbered,
    account_of,
    accounts_of,
    accounts_of_person,
    balance,
    balance_at,
    statement,
    verify_ledger,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(tree):
    return [card.person_id for card in make_cards(tree[CITY], 3)]


@pytest.fixture
def officer(appoint):
    return appoint("accounts", CITY, "account_officer")


@pytest.fixture
def fund(officer):
    return open_party_account(officer, kind=Kind.FUND, party="310")


def pay(officer, fund, *items):
    deposits = [Deposit(client_id, account, amount, "2026-11") for client_id, account, amount in items]
    return deposit(officer, fund=fund, deposits=deposits, total=sum(one.amount for one in deposits))


@pytest.mark.req("S6")
@pytest.mark.req("R6")
def test_an_account_belongs_to_the_person_and_is_opened_once(officer, people):
    account = open_account(officer, person_id=people[0])
    assert (account.balance, account.state, account.never_negative) == (0, "open", True)
    assert account_of(people[0]) == account == account_numbered(account.number)
    for attempt, code in (
        ({"person_id": people[0]}, Code.ACCOUNT_EXISTS),
        ({"person_id": 10**12}, Code.ACCOUNT_HOLDER_UNKNOWN),
        ({"person_id": people[1], "scheme": "390"}, Code.ACCOUNT_SCHEME_UNKNOWN),
    ):
        with pytest.raises(Refused) as refusal:
            open_account(officer, **attempt)
        assert refusal.value.code is code
    assert len(open_accounts(officer, person_ids=[*people, people[1]])) == 3
    assert accounts_of_person(people[2]).count() == 1
    assert accounts_of(officer).filter(kind="personal").count() == 3
    with pytest.raises(Refused) as refusal:
        account_numbered("310")
    assert refusal.value.code is Code.ACCOUNT_UNKNOWN


@pytest.mark.req("S6")
def test_a_deposit_is_booked_once_and_a_refused_one_stays_refused(officer, fund, people):
    first, second, _ = open_accounts(officer, person_ids=people)
    mine, other = uuid.uuid4(), uuid.uuid4()
    assert [one.refusal for one in pay(officer, fund, (mine, first, 500), (other, second, 300))] == [0, 0]
    again = pay(officer, fund, (mine, first, 500), (mine, first, 501))
    assert [(one.refusal, one.differs) for one in again] == [(0, None), (Code.TRANSFER_DIFFERS.value, "amount")]
    assert (balance(first), balance(second), balance(fund)) == (500, 300, -800)
    supervisor = Actor.process("test", CITY)
    freeze_account(supervisor, number=second.number, reason="court order")
    late = uuid.uuid4()
    assert [one.refusal for one in pay(officer, fund, (late, second, 10))] == [Code.ACCOUNT_NOT_OPEN.value]
    release_account(supervisor, number=second.number, reason="court order lifted")
    assert [one.refusal for one in pay(officer, fund, (late, second, 10))] == [Code.ACCOUNT_NOT_OPEN.value]
    assert balance(second) == 300
    assert [(entry.amount, entry.balance_after) for entry in statement(first)] == [(500, 500)]
    assert balance_at(first, timezone.now()) == 500
    assert balance_at(fund, Entry.objects.order_by("booked_at").first().booked_at) == 0
    assert verify_ledger() == []


@pytest.mark.req("S6")
def test_a_list_that_does_not_add_up_books_nothing(officer, fund, people):
    (account, *_) = open_accounts(officer, person_ids=people)
    with pytest.raises(Refused) as refusal:
        deposit(officer, fund=fund, deposits=[Deposit(uuid.uuid4(), account, 500)], total=501)
    assert refusal.value.code is Code.DEPOSIT_TOTAL
    with pytest.raises(Refused) as refusal:
        deposit(officer, fund=fund, deposits=[], total=0)
    assert refusal.value.code is Code.DEPOSIT_EMPTY
    assert [one.refusal for one in pay(officer, fund, (uuid.uuid4(), account, 0))] == [Code.TRANSFER_AMOUNT.value]
    assert [one.refusal for one in pay(officer, fund, (uuid.uuid4(), fund, 5))] == [Code.TRANSFER_SAME_ACCOUNT.value]
    assert balance(account) == 0
    assert verify_ledger() == []


@pytest.mark.req("S6")
def test_only_the_own_organisation_and_the_right_role_touch_an_account(officer, fund, people, appoint):
    account = open_account(officer, person_id=people[0])
    sanya = appoint("sanya", "460200", "account_officer")
    for code, attempt in (
        (Code.ACCOUNT_HOLDER_UNKNOWN, lambda: open_account(sanya, person_id=people[1])),
        (Code.ORGANISATION_OUT_OF_REACH, lambda: pay(sanya, fund, (uuid.uuid4(), account, 5))),
    ):
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.code is code
    with pytest.raises(Refused) as refusal:
        freeze_account(officer, number=account.number, reason="none")
    assert refusal.value.code is Code.PERMISSION_MISSING
    assert not accounts_of(sanya).exists()


@pytest.mark.req("S6")
def test_an_account_is_closed_empty_and_every_step_is_audited(officer, fund, people):
    account = open_account(officer, person_id=people[0])
    pay(officer, fund, (uuid.uuid4(), account, 5))
    with pytest.raises(Refused) as refusal:
        close_account(officer, number=account.number, reason="moved away")
    assert refusal.value.code is Code.ACCOUNT_NOT_EMPTY
    empty = open_account(officer, person_id=people[1])
    assert close_account(officer, number=empty.number, reason="moved away").closed_at is not None
    with pytest.raises(Refused) as refusal:
        close_account(officer, number=empty.number, reason="again")
    assert refusal.value.code is Code.STATE_FORBIDS
    events = (
        Event.objects.filter(subject=f"account:{empty.number}").order_by("sequence").values_list("event", flat=True)
    )
    assert list(events) == ["account.opened", "account.close"]
    supervisor = Actor.process("test", CITY)
    for attempt in (close_account, freeze_account):  # what they would promise does not hold for the sum of entries
        with pytest.raises(Refused) as refusal:
            attempt(supervisor, number=fund.number, reason="empty to look at")
        assert refusal.value.code is Code.ACCOUNT_NOT_PERSONAL


@pytest.mark.req("C2")
def test_no_account_begins_with_money_or_without_its_guard(officer, people, tree):
    common = {"organisation": tree[CITY], "opened_at": timezone.now(), "scheme": "310", "kind": "personal"}
    for wrong in (
        {"balance": 100, "never_negative": True, "person_id": people[0]},
        {"balance": 0, "never_negative": False, "person_id": people[0]},
        {"balance": None, "never_negative": True, "person_id": people[0]},
        {"balance": 0, "never_negative": True, "person_id": None},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Account.objects.create(number="X", **common, **wrong)


@pytest.mark.req("S6")
@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 11), st.integers(0, 3), st.integers(0, 3), st.integers(-5, 300)),
            min_size=1,
            max_size=8,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_batches_of_transfers_end_like_the_model(officer, fund, people, batches):
    """Numbers repeat, accounts repeat, amounts are wrong: the functions and a dictionary in memory agree."""
    accounts = [fund, *open_accounts(officer, person_ids=people)]
    numbers = [uuid.uuid4() for _ in range(12)]
    held = {account.pk: balance(account) for account in accounts}
    known: dict[int, tuple[int, int, int, int]] = {}
    for batch in batches:
        got = post(batch, numbers, accounts)
        assert got == [model(known, held, accounts, *item) for item in batch]
    assert {account.pk: balance(account) for account in accounts} == held
    assert verify_ledger() == []


def post(batch, numbers, accounts) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT refused FROM accounts_post_batch(%s::uuid[], %s::smallint[], %s::bigint[], %s::bigint[],"
            " %s::bigint[], %s::text[], %s) ORDER BY place",
            [
                [numbers[number] for number, *_ in batch],
                [3] * len(batch),
                [accounts[debit].pk for _, debit, _, _ in batch],
                [accounts[credit].pk for _, _, credit, _ in batch],
                [amount for *_, amount in batch],
                [""] * len(batch),
                CITY,
            ],
        )
        return [row[0] for row in cursor.fetchall()]


def model(known, held, accounts, number, debit, credit, amount) -> int:
    """The rules of the ledger in ten lines: the account 0 may go below zero, the others may not."""
    if number in known:
        *first, result = known[number]
        return result if first == [debit, credit, amount] else Code.TRANSFER_DIFFERS.value
    if amount <= 0:
        result = Code.TRANSFER_AMOUNT.value
    elif debit == credit:
        result = Code.TRANSFER_SAME_ACCOUNT.value
    elif debit and held[accounts[debit].pk] < amount:
        result = Code.ACCOUNT_INSUFFICIENT.value
    else:
        result = 0
        held[accounts[debit].pk] -= amount
        held[accounts[credit].pk] += amount
    known[number] = (debit, credit, amount, result)
    return result
