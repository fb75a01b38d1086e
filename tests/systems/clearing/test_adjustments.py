"""The net of a day is the sum of the ledger's entries on the institution's account in that day (S8, S10, C2)."""

from __future__ import annotations

import threading
import uuid

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.approvals import decided
from tests.support.exceptions import SAID, only_theirs, opened, proposal_of
from tests.support.payments import CITY, HOSPITAL

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.trail import record
from sheka.systems.accounts.actions.open_account import open_party_account
from sheka.systems.accounts.models import Account, Entry, EntryKind, Kind, Transfer
from sheka.systems.accounts.posting import Item, post
from sheka.systems.accounts.proofs import proved
from sheka.systems.accounts.queries import balance
from sheka.systems.clearing.acquirer_file import render
from sheka.systems.clearing.actions.import_file import import_file
from sheka.systems.clearing.actions.net_day import net_day
from sheka.systems.clearing.actions.reconcile_day import reconcile_day
from sheka.systems.clearing.actions.seal_day import seal_day
from sheka.systems.clearing.models import Net
from sheka.systems.clearing.queries import adjustments_in, our_lines
from sheka.systems.exceptions.actions.adjust_case import propose_adjustment
from sheka.systems.exceptions.actions.handle_case import take_case
from sheka.systems.transactions.models import Institution, Transaction
from sheka.systems.transactions.queries import open_window

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S8")]


@pytest.fixture
def institution(bank):
    return Institution.objects.get(code=HOSPITAL).account


@pytest.fixture
def suspense(bank):
    return open_party_account(bank.actor, kind=Kind.SUSPENSE, party="exceptions")


def book(bank, debit, credit, amount, kind=EntryKind.ADJUSTMENT):
    with transaction.atomic():
        (done,) = post(bank.actor, [Item(uuid.uuid4(), kind, debit, credit, amount, "test")])
    assert done.done
    return done.posting


def settled(bank):
    """Seal the open day, reconcile it with a file that agrees, net it; the day and what its institution is owed."""
    day = seal_day(bank.actor, settlement_date=open_window().settlement_date)
    import_file(bank.actor, data=render(HOSPITAL, day.settlement_date, our_lines(day, HOSPITAL)))
    assert reconcile_day(bank.actor, day=day).flat
    nets = net_day(bank.actor, day=day)
    assert sum(net.amount for net in nets) == day.net
    return day, next((net.amount for net in nets if net.institution.code == HOSPITAL), 0)


def entries_in(window_id, account: Account) -> int:
    """The entries of an account whose posting stands in a window, found one by one."""
    cards = set(Transaction.objects.filter(window_id=window_id).values_list("id", flat=True))
    moved = set(Transfer.objects.filter(window_id=window_id).values_list("posting_id", flat=True))
    rows = Entry.objects.filter(account=account).values_list("posting_id", "amount")
    return sum(amount for posting, amount in rows if posting in cards | moved)


@pytest.mark.req("S10")
def test_an_adjustment_enters_the_net_of_the_day_on_which_it_is_booked(terminal, bank, institution, appoint):
    """What the institution is owed for a case that was settled today is in today's net, not in none."""
    officer, approver = appoint("one", CITY, "exceptions_officer"), appoint("two", CITY, "exceptions_approver")
    assert terminal.purchase(bank.cards[0].number, 500).approved
    first, owed = settled(bank)
    case = opened(only_theirs(bank))
    take_case(officer, number=case.number)
    propose_adjustment(officer, number=case.number, debit="suspense", credit="institution", amount=900, reason=SAID)
    decided(approver, proposal_of(case))
    second, more = settled(bank)
    assert (owed, more, first.adjustments, second.adjustments, second.count) == (500, 900, 0, 900, 0)
    (line,) = adjustments_in(second)
    assert (line.institution, line.amount, line.reference) == (HOSPITAL, 900, case.number)
    assert balance(institution) == owed + more
    assert Net.objects.get(day=second).adjusted == 1
    bank.assert_ledger_holds()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["pay", "back", "give", "take", "fee", "deposit", "seal"]), st.integers(1, 300)),
        max_size=14,
    )
)
def test_the_net_of_each_day_is_the_sum_of_the_entries_on_the_account(terminal, bank, institution, suspense, steps):
    """Whatever is booked between whichever seals: each day's net is its entries, and all nets are the balance."""
    card, paid, owed = bank.cards[0].number, [], {}
    before = balance(institution)

    def close():
        day, amount = settled(bank)
        owed[day.window_id] = amount
        assert amount == entries_in(day.window_id, institution)
        assert day.net == amount

    for step, amount in steps:
        match step:
            case "pay":
                paid.append(terminal.new_purchase(card, amount))
                assert terminal.send_purchase(paid[-1]).approved
            case "back" if paid:
                assert terminal.reversal(paid.pop()).approved
            case "give":
                book(bank, suspense, institution, amount)
            case "take":
                book(bank, institution, suspense, amount)
            case "fee":
                book(bank, institution, suspense, amount, EntryKind.FEE)
            case "deposit":
                bank.pay_in(amount)
            case "seal":
                close()
    close()
    assert sum(owed.values()) == balance(institution) - before
    assert all(check.holds for check in proved())
    bank.assert_ledger_holds()


def test_a_document_without_entries_keeps_the_day_from_being_netted(bank, institution, suspense):
    """Money fails closed: a transfer that somebody wrote past the ledger is not paid out."""
    book(bank, suspense, institution, 100)
    day = seal_day(bank.actor, settlement_date=open_window().settlement_date)
    assert reconcile_day(bank.actor, day=day).flat, "an institution that only had transfers sends no file"
    parameters = django_settings.NODE.cluster.parameters(django_settings.NODE.file.database.name, "postgres")
    with psycopg.connect(**parameters) as forger:
        forger.execute(
            "INSERT INTO accounts_transfer SELECT gen_random_uuid(), nextval('accounts_posting_id'), kind, debit_id,"
            " credit_id, 5, reference, 0, organisation_id, at, verb, pending_id, expires_at, chain, chain_size,"
            " window_id"
            " FROM accounts_transfer WHERE window_id = %s",
            [day.window_id],
        )
    with pytest.raises(Refused) as refusal:
        net_day(bank.actor, day=day)
    assert (refusal.value.code, refusal.value.facts["institution"]) == (Code.CLEARING_ENTRIES_DIFFER, HOSPITAL)
    assert not Net.objects.exists()


@pytest.mark.parametrize("audit_first", [True, False], ids=["an approval", "a deposit"])
def test_sealing_waits_for_a_booking_in_whichever_order_it_takes_its_locks(bank, institution, suspense, audit_first):
    """An approval writes its audit row and books then, a deposit the other way round: neither dies of the seal."""
    date, sealed = open_window().settlement_date, []

    def seal():
        try:
            sealed.append(seal_day(bank.actor, settlement_date=date))
        finally:
            connections.close_all()

    thread = threading.Thread(target=seal)
    with transaction.atomic():
        if audit_first:
            record(bank.actor, "test.audited", "test:1")
        else:
            post(bank.actor, [Item(uuid.uuid4(), EntryKind.ADJUSTMENT, suspense, institution, 70, "test")])
        thread.start()
        with connection.cursor() as cursor:
            for _ in range(200):
                cursor.execute("SELECT pg_stat_clear_snapshot()")
                cursor.execute(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database ="
                    " (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
                if cursor.fetchone()[0]:
                    break
                cursor.execute("SELECT pg_sleep(0.01)")
        if audit_first:
            post(bank.actor, [Item(uuid.uuid4(), EntryKind.ADJUSTMENT, suspense, institution, 70, "test")])
        else:
            record(bank.actor, "test.audited", "test:1")
    thread.join(30)
    assert [day.adjustments for day in sealed] == [70], "booked before the seal: it stands in that day"
    bank.assert_ledger_holds()
