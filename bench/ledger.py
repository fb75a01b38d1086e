"""The ledger (S6): posted transfers a second through its batch function, durable on disk.

The baseline is pgbench's rate for the very same function with single-item arrays, one commit each, 16 clients,
prepared, on the same database in the same run. Client and PostgreSQL share the machine. Rounds alternate; the ratio is
the median over neighbouring rounds.
"""

from __future__ import annotations

import random
import statistics
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg

from bench.figures import Figure, paired_ratio
from bench.ledger_world import LedgerWorld, ledger_world
from bench.switch_world import CITY

ACCOUNTS, CLIENTS, LINES, SIZE = 100_000, 16, 2, 1_000
_POST = (
    "SELECT count(*) FILTER (WHERE refused = 0) FROM accounts_post_batch(%s::uuid[], %s::smallint[], %s::bigint[],"
    " %s::bigint[], %s::bigint[], %s::text[], %s, %s::boolean[], %s::smallint[])"
)
Batch = Callable[[LedgerWorld, random.Random], tuple[list[object], ...]]


def run(long: bool = False) -> list[Figure]:
    """All figures; at most about 45 seconds, with `long` more and longer rounds."""
    rounds, seconds = (7, 8) if long else (3, 2)
    rates: dict[str, list[float]] = {name: [] for name in KINDS}
    baseline: list[float] = []
    with ledger_world(ACCOUNTS) as world:
        posted = ACCOUNTS
        for _round in range(rounds):
            baseline.append(world.pgbench(seconds, CLIENTS))
            for name, (batch, _what) in KINDS.items():
                number, rate = _drive(world, batch, seconds)
                posted += number
                rates[name].append(rate)
        _prove(world, posted)
    against = f"pgbench, the same function, one commit each, {CLIENTS} clients: {statistics.median(baseline):.0f}/s"
    return [
        Figure(
            f"ledger.{name}.vs_pgbench",
            statistics.median(found),
            "transfers/s",
            paired_ratio(found, baseline),
            against,
            f"{KINDS[name][1]}; {LINES} connections; rounds " + ", ".join(f"{rate:.0f}" for rate in found),
        )
        for name, found in rates.items()
    ]


def _set(world: LedgerWorld, dice: random.Random) -> tuple[list[object], ...]:
    """A thousand accounts are paid from the fund: one set."""
    chosen = dice.sample(range(1, world.accounts + 1), SIZE)
    return [world.fund] * SIZE, chosen, None, None  # type: ignore[return-value]


def _each(world: LedgerWorld, dice: random.Random) -> tuple[list[object], ...]:
    """Transfers between people, some of whom come twice: judged one after the other."""
    chosen = dice.sample(range(1, world.accounts + 1), SIZE)
    return chosen, [chosen[(place + 1) % SIZE] for place in range(SIZE)], None, None  # type: ignore[return-value]


def _pairs(world: LedgerWorld, dice: random.Random) -> tuple[list[object], ...]:
    """Five hundred chains of two."""
    chosen = dice.sample(range(1, world.accounts + 1), SIZE)
    return chosen, [world.fund] * SIZE, [place % 2 == 0 for place in range(SIZE)], None  # type: ignore[return-value]


def _holds(world: LedgerWorld, dice: random.Random) -> tuple[list[object], ...]:
    """A thousand amounts are held."""
    chosen = dice.sample(range(1, world.accounts + 1), SIZE)
    return chosen, [world.fund] * SIZE, None, [2] * SIZE  # type: ignore[return-value]


KINDS: dict[str, tuple[Batch, str]] = {
    "set": (_set, f"batches of {SIZE}, each account once"),
    "each": (_each, f"batches of {SIZE}, each account twice"),
    "linked": (_pairs, f"batches of {SIZE}, tied in pairs"),
    "holds": (_holds, f"batches of {SIZE} holds"),
}


def _drive(world: LedgerWorld, batch: Batch, seconds: float) -> tuple[int, float]:
    """(posted, a second)."""

    def line(number: int) -> tuple[int, float]:
        dice, posted = random.Random(f"{number}:{time.time_ns()}"), 0
        with world.connect() as connection:
            began = time.monotonic()
            while time.monotonic() - began < seconds:
                posted += _post(connection, batch(world, dice))
            return posted, time.monotonic() - began

    with ThreadPoolExecutor(LINES) as pool:
        found = list(pool.map(line, range(LINES)))
    return sum(number for number, _ in found), sum(number / taken for number, taken in found)


def _post(connection: psycopg.Connection[tuple[object, ...]], batch: tuple[list[object], ...]) -> int:
    debit, credit, linked, verb = batch
    clients = [uuid.uuid4() for _ in range(SIZE)]
    row = connection.execute(
        _POST, [clients, [13] * SIZE, debit, credit, [1] * SIZE, [""] * SIZE, CITY, linked, verb], prepare=True
    ).fetchone()
    return int(row[0])  # type: ignore[index, call-overload]


def _prove(world: LedgerWorld, posted: int) -> None:
    """No figure without this: everything that was acknowledged is in the tables, and the ledger sums to zero."""
    with world.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FILTER (WHERE reference = ''), (SELECT count(*) FROM accounts_account WHERE held <> ("
            " SELECT coalesce(sum(o.amount), 0) FROM accounts_pending_open o WHERE o.account_id = accounts_account.id"
            ")) FROM accounts_transfer WHERE refusal = 0"
        ).fetchone()
    total = world.entries_sum_to()
    if row != (posted, 0) or total:
        raise RuntimeError(f"acknowledged {posted}, booked and wrongly held {row}, entries sum to {total}")
