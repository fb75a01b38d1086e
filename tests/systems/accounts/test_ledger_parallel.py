"""Many at once on one account (C2): never below zero, nothing lost, nothing doubled, no deadlock."""

from __future__ import annotations

import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from queue import SimpleQueue

import psycopg
import pytest
from django.conf import settings
from django.db.models import Min
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.support.payments import CITY, make_cards

from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.deposit import Deposit, deposit
from sheka.systems.accounts.actions.expire_pending import expire_due
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.models import Account, Entry, Kind
from sheka.systems.accounts.proofs import verify_ledger

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S6"), pytest.mark.req("C2")]
CALLERS, SESSIONS = 64, 24
BATCH = (
    "SELECT place, posting, refused FROM accounts_post_batch(%s::uuid[], %s::smallint[], %s::bigint[], %s::bigint[],"
    " %s::bigint[], %s::text[], %s, NULL, %s::smallint[], %s::bigint[], %s::timestamptz[]) ORDER BY place"
)


class Sessions:
    """Connections of the application, handed to whoever is next."""

    def __init__(self) -> None:
        self.free: SimpleQueue[psycopg.Connection] = SimpleQueue()
        self.every = [
            psycopg.connect(**settings.NODE.database_parameters("app"), autocommit=True) for _ in range(SESSIONS)
        ]
        for one in self.every:
            one.execute("SET sheka.scope = 'o000000'")
            self.free.put(one)

    @contextmanager
    def one(self):
        session = self.free.get()
        try:
            yield session
        finally:
            self.free.put(session)

    def post(self, items):
        """Items as (client, verb, debit, credit, amount, pending, expires); [(posting, refused)] in one commit."""
        client, verb, debit, credit, amount, pending, expires = (list(column) for column in zip(*items, strict=True))
        number = len(items)
        with self.one() as session:
            rows = session.execute(
                BATCH, [client, [13] * number, debit, credit, amount, [""] * number, CITY, verb, pending, expires]
            )
            return [(posting, refused) for _place, posting, refused in rows]

    def all_at_once(self, work):
        """Every caller does its work with its number, all beginning together."""
        gate = threading.Barrier(CALLERS)

        def begin(number):
            gate.wait()
            return work(number)

        with ThreadPoolExecutor(CALLERS) as pool:
            return list(pool.map(begin, range(CALLERS)))


@pytest.fixture
def sessions():
    found = Sessions()
    yield found
    for one in found.every:
        one.close()


@pytest.fixture
def accounts(tree):
    """A fund, and two people with 1,000 fen each."""
    officer = Actor.process("test", CITY)
    fund = open_party_account(officer, kind=Kind.FUND, party="310")
    people = open_accounts(officer, person_ids=[card.person_id for card in make_cards(tree[CITY], 2)])
    deposit(officer, fund=fund, deposits=[Deposit(uuid.uuid4(), one, 1000) for one in people], total=2000)
    return [fund, *people]


def test_sixty_four_spend_one_balance_and_it_never_goes_below_zero(sessions, accounts):
    fund, one, other = (account.pk for account in accounts)

    def spend(_number):
        items = [(uuid.uuid4(), 1, one, fund, 17, None, None), (uuid.uuid4(), 1, one, other, 13, None, None)]
        return [refused for _posting, refused in sessions.post(items)]

    answers = sessions.all_at_once(spend)
    spent = sum(amount for answer in answers for amount, refused in zip((17, 13), answer, strict=True) if not refused)
    assert {refused for answer in answers for refused in answer} == {0, 4303}
    assert Account.objects.get(pk=one).balance == 1000 - spent < 13
    assert Entry.objects.filter(account_id=one).aggregate(least=Min("balance_after"))["least"] >= 0
    assert verify_ledger() == []


def test_one_number_sent_sixty_four_times_at_once_is_booked_once(sessions, accounts):
    fund, one, _other = (account.pk for account in accounts)
    item = (uuid.uuid4(), 1, one, fund, 100, None, None)
    answers = sessions.all_at_once(lambda _number: sessions.post([item])[0])
    assert len(set(answers)) == 1
    assert answers[0][1] == 0
    assert Account.objects.get(pk=one).balance == 900


def test_one_hold_is_ended_once_whoever_comes_first(sessions, accounts):
    """Sixty-four post it, void it and let it expire in the same moment."""
    fund, one, other = (account.pk for account in accounts)
    until = timezone.now() + timedelta(milliseconds=400)
    ((number, _),) = sessions.post([(uuid.uuid4(), 2, one, other, 400, None, until)])
    ((fund_hold, _),) = sessions.post([(uuid.uuid4(), 2, fund, other, 5, None, None)])

    def end(caller):
        verb, amount = ((3, 150), (4, 0))[caller % 2]
        if caller % 8 == 7:
            with sessions.one() as session:
                return session.execute("SELECT expired FROM accounts_expire(now(), 100)").fetchone()
        return sessions.post(
            [
                (uuid.uuid4(), verb, None, None, amount, number, None),
                (uuid.uuid4(), 3, None, None, 5, fund_hold, None),
            ]
        )

    answers = [answer for answer in sessions.all_at_once(end) if isinstance(answer, list)]
    assert sum(first[1] == 0 for first, _ in answers) <= 1
    assert sum(second[1] == 0 for _, second in answers) == 1
    account = Account.objects.get(pk=one)
    assert (account.balance, account.held) in ((850, 0), (1000, 0), (1000, 400))
    assert verify_ledger() == []


@examples(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_any_mixture_at_once_leaves_the_books_in_order(sessions, accounts, seed):
    keys = [account.pk for account in accounts]
    before = {one.pk: (one.balance, one.held) for one in Account.objects.filter(pk__in=keys[1:])}

    def work(caller):
        dice = random.Random(f"{seed}:{caller}")
        answers, held = [], []
        for _ in range(4):
            debit, credit = dice.sample(keys, 2)
            verb = dice.choice((1, 1, 2, 3, 4))
            if verb >= 3 and not held:
                verb = 2
            expires = timezone.now() + timedelta(milliseconds=30) if verb == 2 and dice.random() < 0.3 else None
            if verb <= 2:
                items = [(uuid.uuid4(), verb, debit, credit, dice.randint(1, 90), None, expires)]
                items += [(uuid.uuid4(), 1, credit, debit, dice.randint(1, 90), None, None)] * dice.randint(0, 2)
            else:
                items = [(uuid.uuid4(), verb, None, None, 0 if verb == 4 else 1, held.pop(), None)]
            got = sessions.post(items)
            held += [number for item, (number, refused) in zip(items, got, strict=True) if item[1] == 2 and not refused]
            answers += zip(items, got, strict=True)
        return answers

    moved = dict.fromkeys(keys, 0)
    seen = set()
    for item, (number, refused) in (one for caller in sessions.all_at_once(work) for one in caller):
        if item[1] == 1 and not refused and number not in seen:  # the same item twice in a batch is one
            seen.add(number)
            moved[item[2]] -= item[4]
            moved[item[3]] += item[4]
    expire_due()
    posted = Entry.objects.filter(account_id__in=keys[1:]).values_list("account_id", "amount", "posting_id")
    for key in keys[1:]:
        account = Account.objects.get(pk=key)
        assert 0 <= account.held <= account.balance
        by_posts = sum(amount for owner, amount, number in posted if owner == key and number not in seen)
        assert account.balance == by_posts + sum(
            amount for owner, amount, number in posted if owner == key and number in seen
        )
        assert before[key][0] >= 0
    assert verify_ledger() == []
