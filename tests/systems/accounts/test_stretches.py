"""Entries lie in stretches of posting numbers (S6, docs/adr/0039): nobody sees it, nothing is booked without room."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from tests.support.payments import CITY, make_cards

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.jobs.queue import take_turn
from sheka.office.jobs.registry import turns
from sheka.office.operations.health.checks import GOOD, STOP, WAIT
from sheka.office.staff.actors import Actor
from sheka.systems.accounts import health
from sheka.systems.accounts.actions.make_stretches import make_stretches
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.models import Account, Entry, EntryKind, Kind
from sheka.systems.accounts.posting import Item, post
from sheka.systems.accounts.proofs import verify_ledger
from sheka.systems.accounts.stretches import AHEAD, stretches_ahead

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S6")]
STRETCH = 1 << 22


@pytest.fixture
def officer(tree):
    return Actor.process("test", CITY)


@pytest.fixture
def books(officer, tree):
    """A fund and a personal account."""
    (person,) = open_accounts(officer, person_ids=[card.person_id for card in make_cards(tree[CITY], 1)])
    return open_party_account(officer, kind=Kind.FUND, party="310"), person


def deposit(officer, books, *amounts):
    return post(officer, [Item(uuid.uuid4(), EntryKind.TRANSFER, *books, amount) for amount in amounts])


def go_on_from(superuser, number):
    with superuser() as administrator:
        administrator.execute("SELECT setval('accounts_posting_id', %s)", [number])


def places():
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, count(*) FROM accounts_entry GROUP BY 1 ORDER BY 1")
        return dict(cursor.fetchall())


def test_a_batch_over_the_end_of_a_stretch_is_booked_and_proved(officer, books, superuser):
    deposit(officer, books, 100)
    go_on_from(superuser, STRETCH - 2)
    assert all(answer.done for answer in deposit(officer, books, 1, 2, 3))
    assert places() == {"accounts_entry_0": 4, "accounts_entry_1": 4}
    entries = Entry.objects.filter(account=books[1]).order_by("posting_id")
    assert [(entry.amount, entry.balance_after) for entry in entries] == [(100, 100), (1, 101), (2, 103), (3, 106)]
    assert verify_ledger() == []


def test_without_room_nothing_is_booked_and_with_room_it_goes_on(officer, books, superuser):
    deposit(officer, books, 100)
    go_on_from(superuser, (AHEAD + 1) * STRETCH - 1)
    assert stretches_ahead() == 0
    assert [check.state for check in health.stretches()] == [STOP]
    go_on_from(superuser, (AHEAD + 1) * STRETCH)
    with pytest.raises(DatabaseError, match="no partition"):
        deposit(officer, books, 7)
    assert Account.objects.get(pk=books[1].pk).balance == 100
    assert verify_ledger() == []
    take_turn(turns()["accounts.stretches"], int(timezone.now().timestamp()))
    assert all(answer.done for answer in deposit(officer, books, 7))
    assert stretches_ahead() == AHEAD
    assert [check.state for check in health.stretches()] == [GOOD]
    assert verify_ledger() == []


def test_the_next_stretches_are_made_in_time_once_and_only_by_whom_it_is_for(officer, superuser, appoint):
    assert make_stretches(officer) == 0
    go_on_from(superuser, 6 * STRETCH)
    assert [check.state for check in health.stretches()] == [WAIT]
    with pytest.raises(Refused) as caught:
        make_stretches(appoint("clerk", f"{CITY}-01", "clerk"))
    assert caught.value.code is Code.PERMISSION_MISSING
    assert make_stretches(officer) == 6
    assert make_stretches(officer) == 0
    assert Event.objects.filter(event="stretches.made").count() == 3


def test_bookings_under_way_neither_wait_for_the_next_stretches_nor_hold_them_up(officer, books, superuser):
    """A booking that takes long holds the clearing window shared; whoever books meanwhile must not stand behind us."""
    go_on_from(superuser, STRETCH)
    with psycopg.connect(**settings.NODE.database_parameters("app")) as long, ThreadPoolExecutor(1) as pool:
        long.execute("SET sheka.scope = 'o000000'")
        long.execute(
            "SELECT accounts_post_batch(ARRAY[gen_random_uuid()], '{13}'::smallint[], %s, %s, '{5}', '{x}', %s)",
            [[books[0].pk], [books[1].pk], CITY],
        )
        made = pool.submit(make_in_a_thread, officer)
        assert made.result(timeout=10) == 1
    assert verify_ledger() == []


def make_in_a_thread(officer):
    try:
        return make_stretches(officer)
    finally:
        connection.close()


@pytest.mark.parametrize(
    "attempt",
    [
        "SELECT * FROM accounts_entry_0",
        "DELETE FROM accounts_entry_0",
        "INSERT INTO accounts_entry_1 SELECT * FROM accounts_entry",
    ],
)
def test_a_stretch_is_reached_through_the_ledger_only(officer, books, attempt):
    deposit(officer, books, 100)
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="permission denied"):
        cursor.execute(attempt)


@pytest.mark.parametrize(
    "attempt", ["UPDATE accounts_entry_0 SET amount = 1", "DELETE FROM accounts_entry_0", "TRUNCATE accounts_entry_0"]
)
def test_a_stretch_is_append_only_for_the_owner_too(officer, books, superuser, attempt):
    deposit(officer, books, 100)
    with superuser() as administrator, pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        administrator.execute(attempt)
