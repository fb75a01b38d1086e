"""Days of transactions that leave the database as Parquet, and come back: nothing is lost on the way (S4, S8)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta

import duckdb
import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from tests.support.approvals import decided
from tests.support.archives import DAY, booked, detached, officers, rows_of, short
from tests.support.payments import CITY, HOSPITAL, ZONE, SwitchProcess

from sheka.equipment.server.node import node_environment
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.approvals.models import Proposal
from sheka.office.audit.models import Event
from sheka.systems.transactions import archive_files, jobs, retention
from sheka.systems.transactions.actions import archive_day
from sheka.systems.transactions.actions.archive_day import (
    check_archive,
    propose_detaching,
    restore_archive,
    write_archive,
)
from sheka.systems.transactions.actions.close_window import close_window
from sheka.systems.transactions.archive import Wanted, due_days, find_archived, folder_of_archive
from sheka.systems.transactions.archive_models import Archive
from sheka.systems.transactions.archive_proof import archived_faults
from sheka.systems.transactions.partitions import partitions
from sheka.systems.transactions.queries import verify_transactions
from sheka.systems.transactions.terminal import Terminal

__all__ = ["booked", "detached", "officers", "short"]  # fixtures
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]
ROW = (
    "INSERT INTO transactions_transaction (id, amount, window_id, seal, booked_at, business_date, institution_id,"
    " terminal_id, stan, local_time, refusal, kind, currency, country, card_number, scheme, rrn)"
    " VALUES (%s, 1, 1, 0, now(), %s, 1, 1, 1, 1, 4423, 1, 156, 156, '', '', '')"
)


def test_a_day_leaves_the_database_and_comes_back_equal(booked, officers):
    clearing, settlement = officers
    before, today = rows_of(DAY), rows_of(timezone.localdate())
    assert len(before) == 9 and len(today) == 2
    archive = write_archive(clearing, day=DAY)
    assert (archive.rows, archive.amount) == (9, sum(row["amount"] for row in before))
    assert rows_of(DAY) == before
    request = propose_detaching(clearing, day=DAY)
    assert rows_of(DAY) == before, "a request alone moves nothing"
    decided(settlement, request)
    assert (rows_of(DAY), rows_of(timezone.localdate())) == ([], today)
    assert DAY not in {one.day for one in partitions()}
    booked.assert_ledger_holds()
    assert archived_faults() == []
    check_archive(booked.actor, day=DAY)
    restore_archive(clearing, day=DAY)
    assert rows_of(DAY) == before
    booked.assert_ledger_holds()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relforcerowsecurity FROM pg_class WHERE relname = %s", [f"transactions_transaction_{DAY:%Y%m%d}"]
        )
        assert cursor.fetchone() == (True,)
    decided(settlement, propose_detaching(clearing, day=DAY))
    assert rows_of(DAY) == []
    events = set(Event.objects.filter(event__startswith="archive.").values_list("event", flat=True))
    assert events == {"archive.written", "archive.detached", "archive.checked", "archive.restored"}


def test_the_files_stand_alone_and_are_signed(detached):
    folder = folder_of_archive()
    names = archive_files.names_of(DAY)
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    manifest = json.loads((folder / names[2]).read_text("utf-8"))
    total = duckdb.sql(f"SELECT count(*), sum(amount), min(business_date) FROM '{folder / names[0]}'").fetchall()[0]
    assert total == (manifest["rows"], manifest["amount"], DAY)
    assert duckdb.sql(f"SELECT count(*) FROM '{folder / names[1]}'").fetchall() == [(manifest["seals"],)]


def test_an_archived_day_is_searched_in_its_file_by_those_who_reach_it(detached, appoint):
    card = detached.cards[1].number
    reader = appoint("a-reader", CITY, "exceptions_officer")
    found = find_archived(reader, Wanted(card_number=card), purpose="complaint 12")
    assert [(row["kind"], row["amount"], row["terminal"], row["institution"]) for row in found] == [
        (2, 500, "460100000001", HOSPITAL),
        (1, 500, "460100000001", HOSPITAL),
        (1, 1_000, "460100000001", HOSPITAL),
    ]
    assert find_archived(reader, Wanted(card_number=card, until=DAY - timedelta(days=1)), purpose="x") == []
    assert len(find_archived(reader, Wanted(terminal="460100000001"), purpose="x")) == 9
    event = Event.objects.filter(event="archive.searched").first()
    assert json.loads(event.facts)["purpose"] == "complaint 12"
    elsewhere = appoint("a-sanya", "460200", "exceptions_officer")
    assert find_archived(elsewhere, Wanted(card_number=card), purpose="x") == []
    with pytest.raises(Refused) as refusal:
        find_archived(reader, Wanted(), purpose="x")
    assert refusal.value.code is Code.ARCHIVE_SEARCH


def test_who_may_not_does_not(booked, officers, appoint):
    clearing, settlement = officers
    clerk = appoint("a-clerk", CITY, "account_officer")
    for actor in (clerk, settlement):
        for verb in (write_archive, propose_detaching, restore_archive):
            with pytest.raises(Refused) as refusal:
                verb(actor, day=DAY)
            assert refusal.value.code is Code.PERMISSION_MISSING
    write_archive(clearing, day=DAY)
    request = propose_detaching(clearing, day=DAY)
    with pytest.raises(Refused):
        decided(clearing, request)
    with pytest.raises(Refused) as refusal:
        find_archived(appoint("a-planner", CITY, "card_planner"), Wanted(rrn="1"), purpose="x")
    assert refusal.value.code is Code.PERMISSION_MISSING
    assert len(rows_of(DAY)) == 9


def test_a_day_stays_while_the_policy_a_window_or_another_system_holds_it(bank, booked, officers, monkeypatch):
    clearing, _ = officers
    assert due_days(timezone.localdate()) == [DAY, DAY + timedelta(days=1)]
    with pytest.raises(Refused) as refusal:
        write_archive(clearing, day=timezone.localdate())
    assert refusal.value.code is Code.ARCHIVE_HELD
    with pytest.raises(Refused) as refusal:
        write_archive(clearing, day=DAY + timedelta(days=1))
    assert refusal.value.code is Code.ARCHIVE_EMPTY_DAY
    monkeypatch.setitem(retention._holds, "test", lambda held: Term("未结", "a case is open") if held.windows else None)
    with pytest.raises(Refused, match="a case is open"):
        write_archive(clearing, day=DAY)
    jobs.archive()
    assert not Archive.objects.exists()
    monkeypatch.setattr(retention, "_holds", {})
    jobs.archive()
    assert Archive.objects.get().business_date == DAY


def test_an_open_window_holds_its_day(bank, short):
    switch = SwitchProcess(None, "--limit", "days_back=90")
    old = lambda: datetime.now(ZONE) - timedelta(days=65)  # noqa: E731
    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac, clock=old) as terminal:
        terminal.purchase(bank.cards[0].number, 1)
    switch.stop()
    with pytest.raises(Refused, match="window"):
        write_archive(bank.actor, day=DAY)


def damaged(name, how):
    path = folder_of_archive() / name
    if how == "missing":
        path.unlink()
    else:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)


def test_a_file_that_is_missing_or_altered_is_refused_by_everything(booked, officers):
    clearing, settlement = officers
    codes = {Code.ARCHIVE_FILE_MISSING, Code.ARCHIVE_FILE_ALTERED, Code.ARCHIVE_SIGNATURE}

    def refused(verb, *arguments, **named):
        with pytest.raises(Refused) as refusal:
            verb(*arguments, **named)
        assert refusal.value.code in codes

    request = None
    for how in ("missing", "altered"):
        for name in archive_files.names_of(DAY):
            write_archive(clearing, day=DAY)
            if request is None:
                request = propose_detaching(clearing, day=DAY)
            damaged(name, how)
            refused(propose_detaching, booked.actor, day=DAY)
            refused(check_archive, booked.actor, day=DAY)
            assert (len(rows_of(DAY)), Archive.objects.get().state) == (9, "attached")
    with pytest.raises(Refused):
        decided(settlement, request)
    assert len(rows_of(DAY)) == 9
    write_archive(clearing, day=DAY)
    decided(settlement, propose_detaching(clearing, day=DAY))
    for how in ("altered", "missing"):
        for name in archive_files.names_of(DAY):
            kept = (folder_of_archive() / name).read_bytes()
            damaged(name, how)
            refused(restore_archive, clearing, day=DAY)
            refused(find_archived, clearing, Wanted(rrn="1"), purpose="x")
            (folder_of_archive() / name).write_bytes(kept)
    restore_archive(clearing, day=DAY)
    assert len(rows_of(DAY)) == 9


def test_what_came_after_the_archive_keeps_the_day_in_the_database(booked, officers):
    clearing, settlement = officers
    write_archive(clearing, day=DAY)
    request = propose_detaching(clearing, day=DAY)
    switch = SwitchProcess(None, "--limit", "days_back=90", "--limit", "reversal_days_back=90")
    old = lambda: datetime.now(ZONE) - timedelta(days=65)  # noqa: E731
    with Terminal(switch.host, switch.port, "460100000003", HOSPITAL, booked.mac, clock=old) as terminal:
        terminal.purchase(booked.cards[0].number, 3)
    switch.stop()
    close_window(booked.actor, settlement_date=datetime.now(ZONE).date() + timedelta(days=1))
    with pytest.raises(Refused) as refusal:
        decided(settlement, request)
    assert refusal.value.code is Code.ARCHIVE_STALE
    assert len(rows_of(DAY)) == 10
    write_archive(clearing, day=DAY)
    decided(settlement, propose_detaching(clearing, day=DAY))
    assert rows_of(DAY) == []
    booked.assert_ledger_holds()


def test_the_database_itself_keeps_the_only_copy_and_takes_nothing_into_an_archived_day(detached, superuser):
    with pytest.raises(DatabaseError, match="only copy"):
        Archive.objects.update(content="0" * 64)
    with pytest.raises(DatabaseError):
        Archive.objects.all().delete()
    with superuser() as administrator, pytest.raises(Exception, match="is archived"):
        administrator.execute(ROW, [1, DAY])
    with superuser() as administrator, pytest.raises(Exception, match="is archived"):
        administrator.execute("SELECT transactions_make_day(%s)", [DAY])


def test_a_request_of_an_archived_day_is_told_its_date_is_out_of_range_and_others_are_served(detached, switch, later):
    card, back = detached.cards[0].number, later((DAY - timezone.localdate()).days * 24 * 60)
    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, detached.mac, clock=back) as old:
        asked = old.new_purchase(card, 1)
        for repeat in (False, True):
            answer = old.send_purchase(asked, repeat=repeat)
            assert (answer.response_code, answer.refusal) == ("12", Code.BUSINESS_DATE_OUT_OF_RANGE.value)
        assert old.reversal(asked).refusal == Code.BUSINESS_DATE_OUT_OF_RANGE.value
    with Terminal(switch.host, switch.port, "460100000002", HOSPITAL, detached.mac) as till:
        till.next_is(900)
        assert till.purchase(card, 1).approved
    assert rows_of(DAY) == []


def test_verification_sees_what_was_changed_behind_a_detached_day(detached, superuser):
    with superuser() as administrator:
        administrator.execute("SET session_replication_role = replica")
        administrator.execute(
            "UPDATE accounts_entry SET amount = amount - 1 WHERE document_date = %s AND balance_after IS NOT NULL",
            [DAY],
        )
        administrator.execute(
            "UPDATE transactions_seal SET root = sha256('x') WHERE id = (SELECT min(id) FROM transactions_seal)"
        )
    assert {fault.fault.split()[0] for fault in archived_faults()} == {"a", "archived"}
    assert len(verify_transactions()) >= 2


def test_a_full_disk_refuses_with_a_number_and_loses_nothing(booked, officers, monkeypatch):
    clearing, _ = officers

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive_files, "write_text", full)
    with pytest.raises(Refused) as refusal:
        write_archive(clearing, day=DAY)
    assert refusal.value.code is Code.ARCHIVE_DISK_FULL
    assert list(folder_of_archive().iterdir()) == [] and not Archive.objects.exists()
    assert len(rows_of(DAY)) == 9


KILLED = """
import sys, time, django
django.setup()
from datetime import date
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.systems.transactions import retention
from sheka.systems.transactions.actions.archive_day import write_archive

retention._holds.clear()

def step(name):
    if name == sys.argv[2]:
        print("here", flush=True)
        time.sleep(60)

with whole_node("the test stands outside"):
    write_archive(Actor.process("test", "460100"), day=date.fromisoformat(sys.argv[1]), step=step)
"""


def test_a_writer_that_is_killed_leaves_nothing_that_is_taken_for_an_archive(booked, officers):
    clearing, settlement = officers
    environment = {**os.environ, **node_environment(settings.NODE)}
    for where in ("parquet", "record"):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, DAY.isoformat(), where], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout.readline() == "here\n"
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert not Archive.objects.exists() and len(rows_of(DAY)) == 9
    write_archive(clearing, day=DAY)
    assert sorted(path.name for path in folder_of_archive().iterdir()) == sorted(archive_files.names_of(DAY))
    decided(settlement, propose_detaching(clearing, day=DAY))
    booked.assert_ledger_holds()


def test_a_policy_that_would_lose_late_reversals_or_refunds_is_refused(short):
    limits = short.with_name("limits.toml")
    refunds = limits.read_text("utf-8").replace("[original]\ndays = 60", "[original]\ndays = 61")
    reversals = short.read_text("utf-8").replace("online_days = 60", "online_days = 30")
    assert retention.retention().online_days == 60
    for path, text in ((limits, refunds), (short, reversals)):
        path.write_text(text, "utf-8")
        with pytest.raises(Refused) as refusal:
            retention.retention()
        assert refusal.value.code is Code.ARCHIVE_POLICY


def test_a_table_in_use_is_not_waited_for(booked, officers, monkeypatch):
    clearing, settlement = officers
    write_archive(clearing, day=DAY)
    request = propose_detaching(clearing, day=DAY)
    monkeypatch.setattr(archive_day, "TRIES", 1)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT set_config('sheka.scope', 'o000000', false)")
            cursor.execute("SELECT count(*) FROM transactions_transaction")
            started = time.monotonic()
            with pytest.raises(Refused) as refusal:
                decided(settlement, request)
            assert refusal.value.code is Code.ARCHIVE_TABLE_BUSY and time.monotonic() - started < 5
    finally:
        other.close()
    assert Proposal.objects.get(pk=request.pk).state == "open"
    decided(settlement, request)
    assert rows_of(DAY) == []


def test_partitions_stand_ready_before_their_day_and_none_loses_a_row(bank, superuser):
    jobs.partitions()
    today = timezone.localdate()
    ahead = {one.day for one in partitions()}
    assert {today + timedelta(days=number) for number in range(15)} <= ahead
    far = today + timedelta(days=200)
    with superuser() as administrator:
        for number in range(2):
            administrator.execute(ROW, [number + 1, far + timedelta(days=number)])
        administrator.execute("SELECT transactions_ensure_day(%s)", [far])  # the rest holds rows of it: no error
        assert administrator.execute("SELECT count(*) FROM transactions_transaction_rest").fetchone() == (2,)
    jobs.partitions()
    assert {far, far + timedelta(days=1)} <= {one.day for one in partitions()}
    with superuser() as administrator:
        assert administrator.execute("SELECT count(*) FROM transactions_transaction_rest").fetchone() == (0,)
        assert administrator.execute(
            "SELECT count(*) FROM transactions_transaction WHERE business_date >= %s", [far]
        ).fetchone() == (2,)
