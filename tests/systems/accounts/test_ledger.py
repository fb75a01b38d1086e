"""The ledger's core (S6, C2): what is held, posted in part, voided, tied in chains; every refusal; who may do what."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from psycopg import errors
from tests.support.payments import CITY, make_cards

from sheka.foundation.refusals import Code, Refused, sentence
from sheka.office.audit.models import Event
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.systems import accounts
from sheka.systems.accounts.actions.expire_pending import expire_due, expire_pending
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.models import OF_THE_SWITCH, Account, Ending, Entry, EntryKind, Kind, Pending, Verb
from sheka.systems.accounts.posting import Item, must_be_done, post, refusal_of
from sheka.systems.accounts.proofs import verify_ledger
from sheka.systems.accounts.queries import available, balance, balance_at, expired_holds, held_on, pending_numbered
from sheka.systems.transactions.actions.close_window import open_first_window
from sheka.systems.transactions.models import Window

pytestmark = [pytest.mark.django_db, pytest.mark.req("S6")]
SANYA = "o000000.o460000.o460200"


class Ledger:
    """Haikou's fund, two people with 1,000 fen each, and the verbs of the tests."""

    def __init__(self, people) -> None:
        self.actor = Actor.process("test", CITY)
        self.fund = open_party_account(self.actor, kind=Kind.FUND, party="310")
        self.first, self.second = open_accounts(self.actor, person_ids=people)
        self.book(self.fund, self.first, 1000)
        self.book(self.fund, self.second, 1000)

    def item(self, debit, credit, amount, **more) -> Item:
        return Item(uuid.uuid4(), more.pop("kind", EntryKind.TRANSFER), debit, credit, amount, **more)

    def post(self, *items: Item) -> list[int]:
        return [one.refusal for one in post(self.actor, items)]

    def book(self, debit, credit, amount, **more) -> int:
        return self.post(self.item(debit, credit, amount, **more))[0]

    def hold(self, debit, credit, amount, **more) -> int:
        (posted,) = post(self.actor, [self.item(debit, credit, amount, pending=True, **more)])
        assert posted.done
        return posted.posting

    def end(self, number, verb, amount, **more) -> int:
        return self.book(more.pop("debit", None), more.pop("credit", None), amount, of=number, verb=verb, **more)

    def state(self, account) -> tuple[int, int]:
        account.refresh_from_db()
        return account.balance, account.held


@pytest.fixture
def ledger(tree):
    found = Ledger([card.person_id for card in make_cards(tree[CITY], 2)])
    yield found
    assert verify_ledger() == []


@pytest.mark.req("C2")
def test_what_is_held_cannot_be_spent_and_is_posted_once_the_rest_released(ledger):
    number = ledger.hold(ledger.first, ledger.second, 700)
    assert ledger.state(ledger.first) == (1000, 700)
    assert (available(ledger.first), balance(ledger.first)) == (300, 1000)
    assert ledger.book(ledger.first, ledger.second, 301) == Code.ACCOUNT_INSUFFICIENT.value
    assert [one.pk for one in held_on(ledger.first)] == [number]
    assert ledger.end(number, Verb.POST, 701) == Code.PENDING_EXCEEDED.value
    assert ledger.end(number, Verb.POST, 0) == Code.TRANSFER_AMOUNT.value
    assert ledger.end(number, Verb.POST, 250) == 0
    assert (ledger.state(ledger.first), ledger.state(ledger.second)) == ((750, 0), (1250, 0))
    assert ledger.end(number, Verb.POST, 1) == Code.PENDING_POSTED.value
    assert ledger.end(number, Verb.VOID, 0) == Code.PENDING_POSTED.value
    end = pending_numbered(number).end
    assert (end.ending, end.amount) == (Ending.POSTED, 250)
    assert [entry.amount for entry in Entry.objects.filter(posting_id=end.posting_id).order_by("amount")] == [-250, 250]
    assert not held_on(ledger.first).exists()


def test_a_void_gives_everything_back_and_ends_it(ledger):
    number = ledger.hold(ledger.first, ledger.second, 700)
    assert ledger.end(number, Verb.VOID, 699) == Code.PENDING_EXCEEDED.value
    assert ledger.end(number, Verb.VOID, 700) == 0
    assert ledger.state(ledger.first) == (1000, 0)
    assert ledger.end(number, Verb.POST, 700) == Code.PENDING_VOIDED.value
    assert ledger.end(10**15, Verb.POST, 1) == Code.PENDING_UNKNOWN.value
    with pytest.raises(Refused) as refusal:
        pending_numbered(10**15)
    assert refusal.value.code is Code.PENDING_UNKNOWN


def test_a_freeze_of_an_amount_holds_it_on_a_frozen_account_too_and_its_posting_names_who_receives(ledger):
    Account.objects.filter(pk=ledger.first.pk).update(state="frozen")
    number = ledger.hold(ledger.first, None, 400, reference="court order 7")
    assert Pending.objects.get(pk=number).kind == 2
    assert ledger.end(number, Verb.POST, 400, credit=ledger.second) == Code.ACCOUNT_NOT_OPEN.value
    Account.objects.filter(pk=ledger.first.pk).update(state="open")
    assert ledger.end(number, Verb.POST, 400) == Code.PENDING_OTHER_ACCOUNTS.value
    assert ledger.end(number, Verb.POST, 400, debit=ledger.second, credit=ledger.fund) == (
        Code.PENDING_OTHER_ACCOUNTS.value
    )
    assert ledger.end(number, Verb.POST, 150, credit=ledger.second) == 0
    assert (ledger.state(ledger.first), ledger.state(ledger.second)) == ((850, 0), (1150, 0))
    pair = ledger.hold(ledger.first, ledger.second, 10)
    assert ledger.end(pair, Verb.POST, 10, credit=ledger.fund) == Code.PENDING_OTHER_ACCOUNTS.value
    Account.objects.filter(pk=ledger.first.pk).update(state="frozen")
    assert ledger.end(pair, Verb.VOID, 0) == 0  # money is released whatever the state
    Account.objects.filter(pk=ledger.first.pk).update(state="closed")
    assert ledger.book(ledger.first, None, 1, pending=True) == Code.ACCOUNT_NOT_OPEN.value
    Account.objects.filter(pk=ledger.first.pk).update(state="open")


def test_what_is_held_past_its_time_is_released_told_and_can_no_longer_be_posted(ledger):
    soon = timezone.now() + timedelta(seconds=1)
    late = ledger.hold(ledger.first, ledger.second, 100, expires_at=soon, reference="pre-authorisation 9")
    stays = ledger.hold(ledger.first, ledger.second, 200, expires_at=timezone.now() + timedelta(hours=1))
    assert expire_due() == 0  # nothing expires early
    time.sleep(1)
    assert ledger.end(late, Verb.POST, 100) == Code.PENDING_EXPIRED.value  # also before the clock came by
    assert expire_due() == 1
    assert ledger.end(late, Verb.VOID, 0) == Code.PENDING_EXPIRED.value
    assert ledger.state(ledger.first) == (1000, 200)
    (told,) = expired_holds()
    assert (told.pending_id, told.amount, told.reference) == (late, 100, "pre-authorisation 9")
    assert told.organisation == CITY
    assert expired_holds(told.number) == []
    event = Event.objects.filter(event="pending.expired").get()
    assert f'"first":[{late}]' in event.facts.replace(" ", "")
    assert expire_due() == 0
    assert Event.objects.filter(event="pending.expired").count() == 1
    assert [one.pk for one in held_on(ledger.first)] == [stays]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 2}, "amount"),
        ({"kind": EntryKind.FEE}, "kind"),
        ({"reference": "another"}, "reference"),
        ({"pending": True}, "verb"),
        ({"pending": True, "expires_at": timezone.now() + timedelta(days=1)}, "verb"),
        ({"of": 1, "verb": Verb.POST}, "verb"),
    ],
)
def test_a_number_stands_for_one_content(ledger, change, field):
    item = ledger.item(ledger.first, ledger.second, 1)
    assert ledger.post(item) == [0]
    (again,) = post(ledger.actor, [item])
    assert (again.refusal, again.differs) == (0, None)
    (other,) = post(ledger.actor, [replace(item, **change)])
    assert (other.refusal, other.differs, other.posting) == (Code.TRANSFER_DIFFERS.value, field, again.posting)
    (turned,) = post(ledger.actor, [replace(item, debit=ledger.second, credit=ledger.first)])
    assert turned.differs == "debit"
    (elsewhere,) = post(ledger.actor, [replace(item, credit=ledger.fund)])
    assert elsewhere.differs == "credit"
    (tied, _) = post(ledger.actor, [replace(item, linked=True), ledger.item(ledger.first, ledger.second, 1)])
    assert (tied.refusal, tied.differs) == (Code.TRANSFER_DIFFERS.value, "linked")


def test_the_answer_of_a_number_never_changes_even_if_its_reason_has_passed(ledger):
    poor = ledger.item(ledger.first, ledger.second, 5000)
    assert ledger.post(poor) == [Code.ACCOUNT_INSUFFICIENT.value]
    assert ledger.book(ledger.fund, ledger.first, 9000) == 0
    assert ledger.post(poor) == [Code.ACCOUNT_INSUFFICIENT.value]
    nowhere = ledger.item(None, None, 5, of=10**15, verb=Verb.POST)
    assert ledger.post(nowhere, nowhere) == [Code.PENDING_UNKNOWN.value] * 2
    unknown = ledger.item(Account(pk=10**14), ledger.first, 1)
    assert ledger.post(unknown) == [Code.ACCOUNT_UNKNOWN.value]


@pytest.mark.req("C2")
def test_items_of_one_batch_are_judged_by_running_sums(ledger):
    """The batch of a thousand that spends one balance a thousand times stops where the money ends."""
    spend = [ledger.item(ledger.first, ledger.second, 300) for _ in range(5)]
    assert ledger.post(*spend) == [0, 0, 0, *[Code.ACCOUNT_INSUFFICIENT.value] * 2]
    assert ledger.post(
        ledger.item(ledger.second, ledger.first, 900),
        ledger.item(ledger.first, None, 950, pending=True),
        ledger.item(ledger.first, ledger.second, 51),
        ledger.item(ledger.first, ledger.second, 50),
    ) == [0, 0, Code.ACCOUNT_INSUFFICIENT.value, 0]
    once = ledger.item(ledger.second, ledger.first, 1)
    assert ledger.post(*[once] * 9) == [0] * 9
    assert ledger.state(ledger.first) == (951, 950)


@pytest.mark.req("C2")
def test_a_large_batch_of_single_bookings_goes_as_one_set_with_the_same_rules(ledger, tree):
    people = [card.person_id for card in make_cards(tree[CITY], 30, first=100)]
    accounts = open_accounts(ledger.actor, person_ids=people)
    Account.objects.filter(pk=accounts[3].pk).update(state="frozen")
    items = [ledger.item(ledger.fund, account, 10, kind=EntryKind.DEPOSIT) for account in accounts]
    items[5] = replace(items[5], amount=0)
    items[6] = replace(items[6], kind=EntryKind.REFUND)
    items[7] = replace(items[7], credit=Account(pk=10**14))
    items[8] = replace(items[8], debit=accounts[8], credit=ledger.fund)
    first = post(ledger.actor, items)
    expected = {
        3: Code.ACCOUNT_NOT_OPEN,
        5: Code.TRANSFER_AMOUNT,
        6: Code.TRANSFER_KIND,
        7: Code.ACCOUNT_UNKNOWN,
        8: Code.ACCOUNT_INSUFFICIENT,
    }
    assert [one.refusal for one in first] == [expected[n].value if n in expected else 0 for n in range(30)]
    assert post(ledger.actor, items) == first
    mixed = [
        replace(items[0], amount=11),
        *items[1:],
    ]
    again = post(ledger.actor, mixed)
    assert (again[0].refusal, again[0].differs) == (Code.TRANSFER_DIFFERS.value, "amount")
    assert again[1:] == first[1:]
    assert balance(ledger.fund) == -2000 - 25 * 10


def test_linked_transfers_are_done_together_or_not_at_all_and_the_first_failure_is_named(ledger):
    good = [
        ledger.item(ledger.first, ledger.second, 100, linked=True),
        ledger.item(ledger.second, ledger.fund, 1100, linked=True),
        ledger.item(ledger.fund, ledger.first, 5),
    ]
    assert ledger.post(*good) == [0, 0, 0]
    assert ledger.post(*good) == [0, 0, 0]
    assert (ledger.state(ledger.first), ledger.state(ledger.second)) == ((905, 0), (0, 0))
    bad = [
        ledger.item(ledger.first, ledger.second, 5, linked=True),
        ledger.item(ledger.first, None, 5, pending=True, linked=True),
        ledger.item(ledger.second, ledger.fund, 6, linked=True),
        ledger.item(ledger.fund, ledger.first, 7),
    ]
    alone = ledger.item(ledger.fund, ledger.first, 1)
    failed = Code.TRANSFER_LINKED_FAILED.value
    answers = [failed, failed, Code.ACCOUNT_INSUFFICIENT.value, failed]
    assert ledger.post(*bad, alone) == [*answers, 0]
    assert ledger.post(*bad) == answers
    assert ledger.state(ledger.first) == (906, 0)
    part = post(ledger.actor, [bad[0], ledger.item(ledger.fund, ledger.first, 7)])
    assert [(one.refusal, one.differs) for one in part] == [(Code.TRANSFER_DIFFERS.value, "linked"), (failed, None)]
    unended = [ledger.item(ledger.fund, ledger.first, 1, linked=True) for _ in range(2)]
    assert ledger.post(*unended) == [failed, Code.TRANSFER_CHAIN_OPEN.value]
    assert ledger.state(ledger.first) == (906, 0)


def test_an_upper_limit_counts_what_is_on_its_way(ledger):
    capped = Account.objects.create(
        number="capped",
        kind=Kind.SUSPENSE,
        organisation_id=CITY,
        balance=0,
        never_negative=True,
        upper_limit=100,
        opened_at=timezone.now(),
    )
    number = ledger.hold(ledger.first, capped, 60)
    assert ledger.book(ledger.first, capped, 41) == Code.ACCOUNT_LIMIT.value
    assert ledger.book(ledger.first, capped, 40) == 0
    assert ledger.end(number, Verb.POST, 60) == 0
    assert ledger.state(capped) == (100, 0)


def test_what_a_transfer_may_not_be(ledger):
    for wrong, code in (
        (ledger.item(ledger.first, ledger.first, 5), Code.TRANSFER_SAME_ACCOUNT),
        (ledger.item(ledger.first, ledger.second, 5, expires_at=timezone.now() + timedelta(1)), Code.TRANSFER_EXPIRY),
        (ledger.item(ledger.first, None, 5, pending=True, expires_at=timezone.now()), Code.TRANSFER_EXPIRY),
        *((ledger.item(ledger.first, ledger.second, 5, kind=kind), Code.TRANSFER_KIND) for kind in OF_THE_SWITCH),
    ):
        (posted,) = post(ledger.actor, [wrong])
        assert posted.refusal == code.value
        refusal = refusal_of(wrong, posted)
        assert refusal.code is code
        for language in ("zh-Hans", "en"):
            assert "{" not in refusal.text(language) + refusal.todo(language)
        with pytest.raises(Refused):
            must_be_done([wrong], [posted])
    for item in (
        ledger.item(ledger.first, ledger.second, 5, of=1),
        ledger.item(ledger.first, ledger.second, 5, verb=Verb.POST),
        ledger.item(ledger.first, ledger.second, 5, of=1, verb=Verb.VOID, pending=True),
    ):
        with pytest.raises(ValueError, match="held"):
            post(ledger.actor, [item])
    chain = [ledger.item(ledger.first, ledger.second, 1, linked=True), ledger.item(ledger.first, ledger.second, 9999)]
    with pytest.raises(Refused) as refusal:
        must_be_done(chain, post(ledger.actor, chain))
    assert refusal.value.code is Code.ACCOUNT_INSUFFICIENT
    assert post(ledger.actor, []) == []


def test_every_number_that_the_functions_answer_has_its_sentence():
    text = (Path(accounts.__file__).parent / "sql" / "posting.sql").read_text("utf-8")
    for code in Code:
        if 4313 <= code.value <= 4324:
            assert sentence(code).zh
    for number in {4301, 4302, 4303, 4304, 4305, 4306, 4313, 4314, 4315, 4316, 4319, 4320, 4321, 4322, 4323}:
        assert str(number) in text
        assert Code(number)
    assert [Code.PENDING_UNKNOWN.value + ending for ending in Ending] == [
        Code.PENDING_POSTED.value,
        Code.PENDING_VOIDED.value,
        Code.PENDING_EXPIRED.value,
    ]


@pytest.mark.req("S8")
def test_a_transfer_that_moves_an_institutions_money_belongs_to_the_open_window(ledger):
    hospital = open_party_account(ledger.actor, kind=Kind.INSTITUTION, party="H1")
    window = Window.objects.filter(closed_at=None).values_list("pk", flat=True).first()
    if window is None:
        before = ledger.item(ledger.fund, hospital, 5, kind=EntryKind.ADJUSTMENT)
        assert ledger.post(before) == [0]
        assert _window_of(before) is None
        open_first_window(ledger.actor, settlement_date=timezone.localdate())
        window = Window.objects.get(closed_at=None).pk
    through = ledger.item(ledger.fund, hospital, 5, kind=EntryKind.ADJUSTMENT)
    beside = ledger.item(ledger.fund, ledger.first, 5)
    held = ledger.item(ledger.first, hospital, 5, pending=True)
    refused = ledger.item(ledger.first, hospital, 10**9)
    assert ledger.post(through, beside, held, refused) == [0, 0, 0, Code.ACCOUNT_INSUFFICIENT.value]
    assert [_window_of(one) for one in (through, beside, held, refused)] == [window, None, None, None]
    number = held_on(ledger.first).get().pk
    posted = ledger.item(None, None, 5, of=number, verb=Verb.POST)
    assert ledger.post(posted) == [0]
    assert _window_of(posted) == window


def _window_of(item: Item) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT window_id FROM accounts_transfer WHERE client_id = %s", [item.client_id])
        return cursor.fetchone()[0]


def test_the_balance_of_any_moment_is_found_by_the_index(ledger):
    moments = []
    for amount in (5, 7, 11, 13):
        moments.append((timezone.now(), balance(ledger.first)))
        assert ledger.book(ledger.fund, ledger.first, amount) == 0
    moments.append((timezone.now(), balance(ledger.first)))
    for at, expected in moments:
        assert balance_at(ledger.first, at) == expected
    assert balance_at(ledger.first, timezone.now() - timedelta(days=1)) == 0
    assert balance_at(ledger.fund, moments[0][0]) == -2000
    (empty,) = open_accounts(
        ledger.actor, person_ids=[make_cards(ledger.first.organisation, 1, first=300)[0].person_id]
    )
    assert balance_at(empty, timezone.now()) == 0


@pytest.mark.req("C2")
def test_the_database_itself_lets_nobody_hold_more_than_there_is(ledger, superuser):
    for change in ("held = 1001", "held = -1", "balance = -1"):
        with pytest.raises((IntegrityError, psycopg.Error)), superuser() as owner:
            owner.execute("SET session_replication_role = DEFAULT")
            owner.execute(
                f"INSERT INTO accounts_account (number, kind, organisation_id, scheme, party, state, balance,"
                f" never_negative, opened_at) VALUES ('Z', 'fund', '{CITY}', '', 'z', 'open', 0, true, now())"
            )
            owner.execute(f"UPDATE accounts_account SET {change} WHERE number = 'Z'")
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(
            number="Y", kind=Kind.FUND, party="y", organisation_id=CITY, balance=0, held=5, opened_at=timezone.now()
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_account SET held = 0",
        "UPDATE accounts_account SET upper_limit = 1",
        "UPDATE accounts_pending SET amount = 1",
        "DELETE FROM accounts_pending",
        "INSERT INTO accounts_pending VALUES (1, 1, NULL, 1, 2, '460100', now(), NULL, '')",
        "UPDATE accounts_pending_end SET amount = 1",
        "DELETE FROM accounts_pending_end",
        "INSERT INTO accounts_pending_end VALUES (1, 2, 0, NULL, now(), '')",
        "DELETE FROM accounts_pending_open",
        "INSERT INTO accounts_pending_open VALUES (1, 1, NULL, 1, NULL)",
        "INSERT INTO accounts_transfer VALUES (gen_random_uuid(), 1, 3, 1, 1, 1, '', 0, '460100', now())",
        "TRUNCATE accounts_pending",
        "SELECT accounts_post_item(NULL, 3::smallint, 1, 2, 1, '', '460100', 1::smallint, NULL, NULL, NULL, NULL,"
        " now(), NULL, NULL)",
    ],
)
def test_the_application_writes_nothing_of_the_ledger_itself(ledger, statement):
    with pytest.raises(Exception, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("table", ["accounts_pending", "accounts_pending_end", "accounts_transfer", "accounts_entry"])
def test_what_is_written_stays_as_it_is_for_the_owner_and_the_ledgers_own_role(superuser, table):
    for role in ("sheka_owner", "sheka_ledger"):
        for verb in (f"UPDATE {table} SET amount = amount + 1", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with superuser() as someone:
                someone.execute(f"SET ROLE {role}")
                with pytest.raises((errors.InsufficientPrivilege, errors.RaiseException)):
                    someone.execute(verb)
                    if verb.startswith(("UPDATE", "DELETE")):  # no row, no trigger: then it is there all the same
                        assert someone.execute(
                            "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = %s",
                            [table, f"{table}_append_only"],
                        ).fetchone() == (1,)
                        raise errors.RaiseException("no row to change")


def test_another_organisation_reaches_neither_an_account_nor_what_is_held_on_it(ledger):
    number = ledger.hold(ledger.first, ledger.second, 10)
    sanya = Actor.process("test", "460200")
    with acting_in(SANYA):
        assert [one.refusal for one in post(sanya, [ledger.item(ledger.first, ledger.second, 1)])] == [
            Code.ACCOUNT_UNKNOWN.value
        ]
        assert [one.refusal for one in post(sanya, [ledger.item(None, None, 1, of=number, verb=Verb.POST)])] == [
            Code.PENDING_UNKNOWN.value
        ]
        assert not Pending.objects.exists()
        assert expired_holds() == []
        with pytest.raises(Exception, match="out of scope"), transaction.atomic():
            post(ledger.actor, [ledger.item(ledger.first, ledger.second, 1)])
    assert ledger.state(ledger.first) == (1000, 10)


def test_who_releases_by_the_clock_needs_the_right(appoint):
    for role, allowed in (("account_officer", False), ("clearing_officer", False)):
        with pytest.raises(Refused) as refusal:
            expire_pending(appoint(f"no-{role}", CITY, role))
        assert (refusal.value.code is Code.PERMISSION_MISSING) is not allowed
