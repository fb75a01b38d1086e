"""What an auditor finds of a day that left the database: its files, entries and statements; no step stays half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.db import connection, connections
from tests.support.approvals import decided
from tests.support.archives import DAY, booked, detached, officers, rows_of, short
from tests.support.exceptions import only_theirs, opened
from tests.support.payments import HOSPITAL

from sheka.equipment.server.node import node_environment
from sheka.foundation.refusals import Code, Refused
from sheka.systems.accounts.models import Entry
from sheka.systems.accounts.proofs import proved
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.exceptions.retention_holds import case_open
from sheka.systems.transactions import archive_files, jobs
from sheka.systems.transactions.actions.archive_day import (
    check_archive,
    propose_detaching,
    restore_archive,
    write_archive,
)
from sheka.systems.transactions.archive import folder_of_archive
from sheka.systems.transactions.archive_models import Archive
from sheka.systems.transactions.archive_proof import archived_faults
from sheka.systems.transactions.models import Institution
from sheka.systems.transactions.queries_of_postings import institutions_of_postings
from sheka.systems.transactions.retention import HeldDay

__all__ = ["booked", "detached", "officers", "short"]  # fixtures
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]


def faults() -> list[str]:
    """What the proof of the books says, but for the nets: the days of these tests leave without having been netted."""
    return [fault.subject for check in proved() for fault in check.faults if "nets" not in check.name.en]


def test_the_proof_of_the_books_misses_a_file_that_is_gone_cut_or_altered(detached):
    assert faults() == []
    for name in archive_files.names_of(DAY):
        path = folder_of_archive() / name
        kept = path.read_bytes()
        for damaged in (None, kept[:-100], kept[:-1] + bytes([kept[-1] ^ 1])):
            path.unlink()
            if damaged is not None:
                path.write_bytes(damaged)
            assert faults() == [f"archive:{DAY}"], name
            path.write_bytes(kept)
    assert faults() == []


def test_entries_that_changed_places_behind_an_archived_day_differ_from_its_file(detached, superuser):
    """Number and sum by kind are as before; who paid what stands in the file alone."""
    check_archive(detached.actor, day=DAY)
    with superuser() as administrator:
        administrator.execute("SET session_replication_role = replica")
        for account, change in ((detached.accounts[0].pk, -1), (detached.accounts[1].pk, 1)):
            administrator.execute(
                "UPDATE accounts_entry SET amount = amount + %s WHERE account_id = %s AND kind = 1 AND amount = -1000"
                " AND document_date = %s",
                [change, account, DAY],
            )
    assert archived_faults() == []
    with pytest.raises(Refused) as refusal:
        check_archive(detached.actor, day=DAY)
    assert refusal.value.code is Code.LEDGER_BROKEN


def test_a_statement_still_names_the_institution_of_an_archived_purchase(detached):
    name = Institution.objects.get(code=HOSPITAL).name
    entries = Entry.objects.filter(account=detached.accounts[1], kind__in=(1, 2))
    wanted = {entry.posting_id: entry.document_date for entry in entries}
    assert len(wanted) == 3
    assert institutions_of_postings(wanted.items()) == dict.fromkeys(wanted, name)


def test_two_who_write_the_same_day_at_once_write_it_one_after_the_other(booked, officers):
    clearing, _ = officers
    failed: list[BaseException] = []

    def write():
        try:
            write_archive(clearing, day=DAY)
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    other = threading.Thread(target=write)

    def step(name):
        if name == "parquet":
            other.start()
            while other.is_alive() and not waiting():
                time.sleep(0.05)

    write_archive(clearing, day=DAY, step=step)
    other.join()
    assert failed == []
    check_archive(booked.actor, day=DAY)


@pytest.mark.req("S10")
def test_a_case_that_ended_by_an_entry_holds_its_day_no_more(bank):
    """Else a day of which one item was ever adjusted stays in the database for ever."""
    case = opened(only_theirs(bank))
    day = HeldDay(date(2026, 11, 20), frozenset())
    assert case_open(day) is not None
    ExceptionCase.objects.filter(pk=case.pk).update(state="resolved", entry=1)
    assert case_open(day) is None


def test_a_day_that_cannot_be_archived_keeps_no_other_day_in_the_database(booked, monkeypatch):
    """The turn of the night fails with it, and has written the others."""
    spoilt, write = DAY - timedelta(days=1), jobs.write_archive

    def written(actor, *, day):
        if day == spoilt:
            raise Refused(Code.ARCHIVE_DIFFERS, day=day.isoformat(), what="content")
        return write(actor, day=day)

    monkeypatch.setattr(jobs, "write_archive", written)
    monkeypatch.setattr(jobs, "due_days", lambda _today: [spoilt, DAY])
    with pytest.raises(Refused) as refusal:
        jobs.archive()
    assert refusal.value.code is Code.ARCHIVE_DIFFERS
    assert Archive.objects.get().business_date == DAY


def waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        )
        return bool(cursor.fetchone()[0])


KILLED = """
import sys, time, django
django.setup()
from datetime import date, timedelta
from types import SimpleNamespace
from sheka.office.actions import action
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.systems.transactions import retention
from sheka.systems.transactions.actions import archive_day
from sheka.systems.transactions.archive_models import Archive

retention._holds.clear()
day, verb = sys.argv[1:]

def here(*_arguments):
    print("here", flush=True)
    time.sleep(60)

archive_day.ARCHIVE = SimpleNamespace(after=here)
actor = Actor.process("test", "460100")
with whole_node("the test stands outside"):
    if verb == "detach":
        digest = Archive.objects.get(business_date=day).digest
        archive_day._detach(actor, {"day": day, "digest": digest})
    else:
        archive_day.restore_archive(actor, day=date.fromisoformat(day))
"""


def killed(verb: str) -> None:
    """kill -9 of a worker between the last statement of a verb and its commit."""
    environment = {**os.environ, **node_environment(settings.NODE)}
    command = [sys.executable, "-c", KILLED, DAY.isoformat(), verb]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "here\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()


def test_a_worker_killed_at_the_end_of_detaching_or_restoring_leaves_the_day_as_it_was(booked, officers):
    clearing, settlement = officers
    before = rows_of(DAY)
    write_archive(clearing, day=DAY)
    killed("detach")
    assert (rows_of(DAY), Archive.objects.get().state) == (before, "attached")
    decided(settlement, propose_detaching(clearing, day=DAY))
    killed("restore")
    assert (rows_of(DAY), Archive.objects.get().state) == ([], "detached")
    assert faults() == []
    restore_archive(clearing, day=DAY)
    assert (rows_of(DAY), faults()) == (before, [])
