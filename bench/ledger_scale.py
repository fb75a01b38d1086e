"""The ledger at size (S6): how late the worker releases what is held past its time, and how long the proof takes.

The real worker runs beside a million open holds (`long`; otherwise 100,000), of which 400 a second come to their end.
The proof is the real command over ten million entries (`long`; otherwise half a million), with its peak of memory.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg

from bench.figures import Figure
from bench.ledger_world import LedgerWorld, ledger_world
from bench.switch_world import CITY
from sheka.equipment.server.node import node_environment
from sheka.faces.cli.node_processes import worker

RATE = 400
"""Holds that come to their end each second."""
LEAD = 12
"""Seconds to write them down before the first is due."""
_HOLDS = """
INSERT INTO accounts_pending (id, account_id, counter_id, amount, kind, organisation_id, made_at, expires_at, reference)
SELECT nextval('accounts_posting_id'), 1 + (n::bigint * 7919) %% %(accounts)s, %(fund)s, 1, 1, %(city)s, now(),
    %(first)s + n * interval '1 second' * %(gap)s, 'bench'
FROM generate_series(0, %(holds)s - 1) n
"""
_HELD = """
UPDATE accounts_account a SET held = a.held + o.total
FROM (SELECT account_id, sum(amount) AS total FROM accounts_pending_open
      WHERE expires_at < %(until)s GROUP BY account_id) o
WHERE a.id = o.account_id
"""
_LATENESS = """
SELECT percentile_cont(ARRAY[0, 0.5, 0.99, 1]) WITHIN GROUP (ORDER BY extract(epoch FROM e.at - p.expires_at))
FROM accounts_pending_end e JOIN accounts_pending p ON p.id = e.pending_id WHERE e.ending = 3
"""
#: Deposits of earlier years, each with its transfer, its two entries and the balance after it.
_HISTORY = (
    "ALTER TABLE accounts_account DISABLE TRIGGER USER",
    "CREATE TEMP TABLE history AS SELECT nextval('accounts_posting_id') AS posting, 1 + (n %% %(accounts)s) AS account,"
    " 1 + n / %(accounts)s AS turn FROM generate_series(0, %(postings)s - 1) n",
    "INSERT INTO accounts_transfer (client_id, posting_id, kind, debit_id, credit_id, amount, reference, refusal,"
    " organisation_id, at) SELECT gen_random_uuid(), posting, 3, %(fund)s, account, 10, 'bench', 0, %(city)s, now()"
    " FROM history",
    "INSERT INTO accounts_entry SELECT posting, account, 10, %(balance)s + 10 * turn, now(), current_date, 3"
    " FROM history",
    "INSERT INTO accounts_entry SELECT posting, %(fund)s, -10, NULL, now(), current_date, 3 FROM history",
    "UPDATE accounts_account a SET balance = balance + 10 * h.turns"
    " FROM (SELECT account, count(*) AS turns FROM history GROUP BY account) h WHERE a.id = h.account",
    "ALTER TABLE accounts_account ENABLE TRIGGER USER",
)


def run(long: bool = False) -> list[Figure]:
    """All figures; about 45 seconds, with `long` some minutes."""
    accounts, holds, seconds, entries = (100_000, 1_000_000, 30, 10_000_000) if long else (20_000, 100_000, 8, 500_000)
    with ledger_world(accounts) as world:
        found = expiry(world, holds, seconds)
        found += proof(world, entries)
    return found


def expiry(world: LedgerWorld, holds: int, seconds: int) -> list[Figure]:
    """How late expiries are booked, by the rows themselves: the end beside the time that was said."""
    due = RATE * seconds
    spec = worker(world.node)
    values = {"accounts": world.accounts, "fund": world.fund, "city": CITY}
    with world.connect("owner") as owner, (world.folder / "worker.log").open("wb") as log:
        far = datetime.now().astimezone() + timedelta(days=30)
        owner.execute(_HOLDS, {**values, "holds": holds, "first": far, "gap": 0})
        owner.execute(_HELD, {"until": far + timedelta(days=1)})
        owner.execute("VACUUM ANALYZE accounts_pending, accounts_pending_open, accounts_account")
        process = subprocess.Popen(spec.argv, env={**os.environ, **spec.env}, stdout=log, stderr=log)
        try:
            _until(world, lambda: _count(owner, "operations_heartbeat") > 0)
            first = datetime.now().astimezone() + timedelta(seconds=LEAD)
            owner.execute(_HOLDS, {**values, "holds": due, "first": first, "gap": 1 / RATE})
            owner.execute(_HELD, {"until": far})
            if datetime.now().astimezone() > first:
                raise RuntimeError("the machine is too busy to measure")
            time.sleep(LEAD + seconds)
            _until(world, lambda: _count(owner, "accounts_pending_end") == due)
            row = owner.execute(_LATENESS).fetchone()
        finally:
            process.kill()
            process.wait(30)
    earliest, middle, late, latest = row[0]  # type: ignore[index, misc]
    if earliest < 0:
        raise RuntimeError(f"something expired {-earliest} s early")
    what = f"{holds} open holds, {RATE} a second come to their end, {due} did; the real worker"
    return [
        Figure("ledger_scale.expiry_p50_ms", 1000 * middle, "ms", detail=what),
        Figure("ledger_scale.expiry_p99_ms", 1000 * late, "ms", detail=what),
        Figure("ledger_scale.expiry_latest_ms", 1000 * latest, "ms", detail=what),
    ]


def _until(world: LedgerWorld, so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not so():
        if time.monotonic() > deadline:
            raise RuntimeError((world.folder / "worker.log").read_text("utf-8"))
        time.sleep(0.2)


def _count(owner: psycopg.Connection[Any], table: str) -> int:
    row = owner.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def proof(world: LedgerWorld, entries: int) -> list[Figure]:
    """The command that operators use, from its start to its end, in a process of its own."""
    with world.connect("owner") as owner:
        values = {"accounts": world.accounts, "fund": world.fund, "city": CITY, "postings": entries // 2}
        row = owner.execute("SELECT max(balance) FROM accounts_account").fetchone()
        for statement in _HISTORY:
            owner.execute(statement, {**values, "balance": row[0]})  # type: ignore[index]
        owner.execute("VACUUM ANALYZE accounts_entry, accounts_transfer, accounts_account")
    command = [sys.executable, "-m", "sheka.faces.cli.main", "ledger", "verify", "--json"]
    began = time.monotonic()
    done = subprocess.run(
        command, env={**os.environ, **node_environment(world.node)}, capture_output=True, text=True, check=False
    )
    taken = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    slowest = max(json.loads(done.stdout)["checks"], key=lambda check: check["seconds"])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    what = f"{entries} entries; the slowest check: {slowest['name']}, {slowest['seconds']} s"
    return [
        Figure("ledger_scale.verify_s", taken, "s", detail=what),
        Figure("ledger_scale.verify_entries_per_s", entries / taken, "entries/s", detail=what),
        Figure("ledger_scale.verify_peak_mib", peak, "MiB", detail="the largest process that this bench started"),
    ]
