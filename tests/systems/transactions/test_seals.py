"""What was booked stays as it was: append-only by grants and trigger, and seals that show what an administrator changed
(S4).
"""

from __future__ import annotations

import psycopg
import pytest
from django.conf import settings
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from sheka.systems.transactions.actions.verify_seals import check_seals
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.queries import verify_seals, verify_transactions

pytestmark = pytest.mark.django_db(transaction=True)


def as_administrator(*statements: str) -> None:
    """What somebody with the cluster's own password could do, past triggers and policies."""
    cluster, name = settings.NODE.cluster, settings.NODE.file.database.name
    with psycopg.connect(cluster.dsn(name, "postgres"), autocommit=True) as administrator:
        for statement in statements:
            administrator.execute(statement)


@pytest.fixture
def booked(terminal, bank):
    for amount in (100, 200, 300, 100_001):
        terminal.purchase(bank.cards[0].number, amount)
    purchase = terminal.new_purchase(bank.cards[1].number, 400)
    terminal.send_purchase(purchase)
    terminal.reversal(purchase)
    terminal.reversal(terminal.new_purchase(bank.cards[1].number, 500))
    return list(Transaction.objects.order_by("id"))


@pytest.mark.req("S4")
@pytest.mark.parametrize(
    "table", ["transactions_transaction", "accounts_entry", "transactions_seal", "accounts_transfer"]
)
def test_neither_the_application_nor_the_owner_changes_a_row(table, db):
    for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        statement = (
            statement.replace("SET id = id", "SET posting_id = posting_id") if "accounts" in table else statement
        )
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    with psycopg.connect(settings.NODE.dsn("owner")) as owner, pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute(f"TRUNCATE {table}")


@pytest.mark.req("C2")
@pytest.mark.req("S6")
def test_the_application_cannot_write_balances_or_entries_past_the_ledger(bank):
    for statement in (
        "UPDATE accounts_account SET balance = 1000000",
        "INSERT INTO accounts_entry VALUES (1, 1, 100, 100, now(), now(), 3)",
        "SELECT switch_purchase_settle(now()::date, now(), '{1}', '{1}', '{0}', '{1}', '{1}', '{1}', '{2}', '{}')",
    ):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    scope = "-c sheka.scope=o000000"
    with (
        psycopg.connect(settings.NODE.dsn("owner"), options=scope) as owner,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        owner.execute("UPDATE accounts_account SET balance = -1 WHERE kind = 'personal'")
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_seals_hold_and_every_kind_of_tampering_is_found(booked, bank):
    assert len(booked) == 8
    assert check_seals(bank.actor) == []
    table = "transactions_transaction"
    off, on = f"ALTER TABLE {table} DISABLE TRIGGER USER", f"ALTER TABLE {table} ENABLE TRIGGER USER"
    victim = booked[1]
    as_administrator(off, f"UPDATE {table} SET amount = 1 WHERE id = {victim.id}", on)
    assert [fault.fault for fault in verify_seals()] == ["a row was changed"]
    assert [fault.subject for fault in verify_transactions()] == [f"transaction:{victim.id}"]
    as_administrator(off, f"UPDATE {table} SET amount = 200 WHERE id = {victim.id}", on)
    assert verify_seals() == []
    as_administrator(off, f"DELETE FROM {table} WHERE id = {victim.id}", on)
    assert {fault.fault for fault in verify_seals()} <= {
        "its rows are missing",
        "2 rows, sealed were 3",
        "0 rows, sealed were 1",
    }
    assert verify_seals()
    assert any("does not exist" in fault.fault for fault in verify_transactions())


@pytest.mark.req("S4")
@pytest.mark.req("S8")
def test_a_purchase_whose_money_went_to_another_account_than_its_institutions_is_found(booked, bank):
    """Every sum is still zero and every personal balance follows: only the institution would miss it."""
    assert verify_transactions() == []
    as_administrator(
        "SET session_replication_role = replica",
        f"UPDATE accounts_entry SET account_id = {bank.fund.pk} WHERE posting_id = {booked[0].id} AND amount > 0",
    )
    assert [fault.subject for fault in verify_transactions()] == [f"transaction:{booked[0].id}"]


@pytest.mark.req("S4")
def test_a_seal_that_was_taken_out_is_found(booked):
    seals = sorted({row.seal for row in booked})
    off = "ALTER TABLE transactions_seal DISABLE TRIGGER USER"
    as_administrator(off, f"DELETE FROM transactions_seal WHERE id = {seals[1]}")
    faults = {fault.fault for fault in verify_seals()}
    assert "a seal is missing" in faults
    assert "rows without a seal" in faults


@pytest.mark.req("S4")
def test_seals_are_proved_in_one_moment(booked):
    """In two, a purchase between them would be rows without a seal, or a seal without rows: a false alarm at night."""
    with CaptureQueriesContext(connection) as asked:
        assert verify_seals() == []
    assert sum("transactions_seal" in one["sql"] or "transactions_transaction" in one["sql"] for one in asked) == 1
