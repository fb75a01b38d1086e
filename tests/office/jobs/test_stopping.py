"""A real worker that is told to stop in the middle of long work leaves in seconds, and the next one goes on (H1)."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from procrastinate.contrib.django import app
from tests.support.account_files import deposit_file, policy_copy
from tests.support.payments import CITY, make_cards

from sheka.office.jobs.models import JobRun, PeriodicRun
from sheka.office.jobs.queue import QUEUE
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.actions.receive_deposit_file import (
    check_deposit_file,
    receive_deposit_file,
    release_deposit_file,
    take_deposit_file,
)
from sheka.systems.accounts.models import Kind, Transfer
from sheka.systems.accounts.queries import verify_ledger
from sheka.systems.accounts.turns import VERIFY

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]
LEAVES_WITHIN = 9.0
"""Seconds: the supervisor kills after ten (equipment/server/child.py)."""


@pytest.fixture
def worker(tmp_path):
    """worker() → a real worker of this test's node, started as a supervisor does."""
    started = []

    def start():
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            command = [sys.executable, "-m", "sheka.config.worker"]
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def until(reached, seconds=40):
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, list(JobRun.objects.values())
        time.sleep(0.02)


def leaves(process) -> float:
    """Seconds from the signal to the orderly end."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=LEAVES_WITHIN + 10) == 0
    return time.monotonic() - began


@pytest.mark.req("S6")
def test_a_file_that_is_being_booked_keeps_its_place_over_a_stop(tree, worker, tmp_path, monkeypatch):
    policy_copy(tmp_path, monkeypatch, "accounts.toml", "chunk = 2_000", "chunk = 20")
    node = Actor.process("test", CITY)
    open_party_account(node, kind=Kind.FUND, party="310")
    accounts = open_accounts(node, person_ids=[card.person_id for card in make_cards(tree[CITY], 500)])
    content = deposit_file([(one.number, 3, f"r{n}") for n in range(8) for one in accounts])
    source = io.BytesIO(content)
    row, _ = take_deposit_file(node, name="f.txt", source=source)
    check_deposit_file(node, number=row.number, source=source)
    row = release_deposit_file(Actor.process("other", CITY), number=row.number)
    first = worker()
    until(lambda: type(row).objects.filter(pk=row.pk, booked__gt=100).exists())
    assert leaves(first) < LEAVES_WITHIN
    row.refresh_from_db()
    run = JobRun.objects.get(pk=row.job)
    assert (row.state, run.state, run.attempts) == ("booking", "queued", 0) and 100 < row.booked < 4000
    worker()
    until(lambda: JobRun.objects.get(pk=row.job).state == "done")
    row.refresh_from_db()
    assert (row.state, row.booked, Transfer.objects.count()) == ("booked", 4000, 4000)
    assert verify_ledger() == []


@pytest.mark.req("S6")
def test_a_proof_in_the_middle_of_one_statement_is_given_up_and_taken_again(tree, worker, superuser):
    """The nightly proof stands in one statement for as long as another holds its table: the statement is cancelled."""
    node = Actor.process("test", CITY)
    open_party_account(node, kind=Kind.FUND, party="310")
    first = worker()
    until(lambda: PeriodicRun.objects.exclude(ended_at=None).exists())  # it takes turns
    with superuser() as outside:
        outside.autocommit = False
        outside.execute("LOCK TABLE accounts_entry IN ACCESS EXCLUSIVE MODE")
        lock = f"sheka.turn.{VERIFY}"
        app.configure_task(f"turn.{VERIFY}", queue=QUEUE, lock=lock).defer(timestamp=int(time.time()))
        until(lambda: PeriodicRun.objects.filter(name=VERIFY, ended_at=None).exists())
        assert leaves(first) < LEAVES_WITHIN
        assert PeriodicRun.objects.get(name=VERIFY).ended_at is None, "it did not end, and says so"
        outside.rollback()
    worker()
    until(lambda: PeriodicRun.objects.filter(name=VERIFY, ended_at__isnull=False).exists())
    assert PeriodicRun.objects.get(name=VERIFY).failure == ""


def test_a_job_that_waits_for_a_row_goes_back_into_the_queue_uncounted(tree, worker, superuser):
    """The check of a file waits for a row: its statement is cancelled, and the job waits for the next worker."""
    node = Actor.process("test", CITY)
    open_party_account(node, kind=Kind.FUND, party="310")
    accounts = open_accounts(node, person_ids=[card.person_id for card in make_cards(tree[CITY], 1)])
    row = receive_deposit_file(node, name="f.txt", content=deposit_file([(accounts[0].number, 3, "r")]))
    with superuser() as outside:
        outside.autocommit = False
        outside.execute("SELECT FROM accounts_depositfile FOR UPDATE")
        first = worker()
        until(lambda: JobRun.objects.filter(pk=row.job, state="running").exists())
        assert leaves(first) < LEAVES_WITHIN
        run = JobRun.objects.get(pk=row.job)
        assert (run.state, run.attempts, run.failure) == ("queued", 0, None)
        outside.rollback()
    worker()
    until(lambda: JobRun.objects.get(pk=row.job).state == "done")
    row.refresh_from_db()
    assert row.state == "ready"
