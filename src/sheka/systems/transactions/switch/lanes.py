"""Lanes to the database (S4): each is one connection that runs one batch at a time and seals it before it commits.

A batch that the database could not finish is tried again, first whole, then one by one: the key of each request makes
that safe. Accounts are locked in the order of their numbers, so two lanes wait for each other at worst for a commit.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from datetime import date
from typing import Any

import asyncpg

from sheka.foundation.refusals import Code
from sheka.systems.transactions import sealing
from sheka.systems.transactions.switch.answers import Outcome
from sheka.systems.transactions.switch.guard import Guard
from sheka.systems.transactions.switch.requests import Request, Verb
from sheka.systems.transactions.switch.settings import SwitchSettings

log = logging.getLogger("sheka.switch")
_ARRAYS = (
    "$1::date, $2::integer[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::bigint[], $8::smallint[],"
    " $9::smallint[], $10::text[], $11::integer[], $12::bigint"
)
_PURCHASE = f"SELECT * FROM switch_purchase_batch({_ARRAYS})"  # noqa: S608 - constants only
_REVERSAL = f"SELECT * FROM switch_reversal_batch({_ARRAYS})"  # noqa: S608
_REFUSE = f"SELECT * FROM switch_refuse_batch({_ARRAYS}, $13::integer[])"  # noqa: S608
_BALANCE = "SELECT * FROM switch_balance_batch($1::integer[], $2::integer[], $3::text[], $4::text[], $5::smallint[])"
#: The connection stays inside an open transaction without snapshot, which saves a round trip for BEGIN.
_COMMIT = "COMMIT AND CHAIN"
_PREPARE_SEAL = "PREPARE seal (bigint, integer, bytea) AS INSERT INTO transactions_seal VALUES ($1, $2, $3)"
_BROKEN = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the line was cut while a statement was being prepared
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, crashed, cannot connect now
)


class NotKnown(Exception):
    """The block list cannot be read at present: a moment's patience before that is the answer."""


class Lane:
    """A connection, and the stream of seals that is written over it."""

    def __init__(self, settings: SwitchSettings, guard: Guard) -> None:
        self._settings = settings
        self._guard = guard
        self._connection: asyncpg.Connection | None = None
        self._stream = 0
        self._place = 0
        self._root = sealing.GENESIS
        self._days: set[date] = set()
        self._settlement: dict[int, date] = {}

    async def open(self) -> None:
        """Connect and begin a new stream of seals."""
        connection = await asyncpg.connect(
            self._settings.dsn,
            statement_cache_size=20,
            command_timeout=self._settings.patience,
            server_settings={"application_name": "switch", "idle_in_transaction_session_timeout": "0"},
        )
        self._stream = await connection.fetchval("SELECT nextval('transactions_stream')")
        self._place, self._root = 0, sealing.GENESIS
        await connection.execute(_PREPARE_SEAL)
        await connection.execute("BEGIN")  # by itself, so that it begins without a lock
        self._connection = connection

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close(timeout=5)
            self._connection = None

    async def book(self, batch: list[Request]) -> list[tuple[Request, Outcome]]:
        """Book examined requests, in one transaction for each verb and business date."""
        groups: dict[tuple[Verb, date | None], list[Request]] = defaultdict(list)
        for request in batch:
            groups[request.verb, request.date if request.verb is not Verb.BALANCE else None].append(request)
        return [pair for (verb, day), group in groups.items() for pair in await self._run_until_known(verb, day, group)]

    async def _run_until_known(
        self, verb: Verb, day: date | None, group: list[Request]
    ) -> list[tuple[Request, Outcome]]:
        """Run a group; after a fault run it again.

        What is too old is answered as unknown, or as busy when never tried.
        """
        pause = 0.05
        while True:
            try:
                if self._connection is None:
                    await self.open()
                return await self._run(verb, day, group)
            except NotKnown:
                await asyncio.sleep(pause)
            except _BROKEN as error:
                log.warning("database: %s", error)
                self._abandon()
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
            except (asyncpg.PostgresError, TimeoutError) as error:
                log.warning("batch of %d %s: %r", len(group), verb.name, error)
                self._abandon()
                if len(group) > 1:
                    return [pair for one in group for pair in await self._run_until_known(verb, day, [one])]
                if not isinstance(error, asyncpg.DeadlockDetectedError | asyncpg.SerializationError):
                    return [(group[0], Outcome(Code.SWITCH_BUSY.value))]
            if time.monotonic() - group[0].since > self._settings.patience:
                return [(one, _unknown(one)) for one in group]

    def _abandon(self) -> None:
        """After a fault: a new connection, so that nothing of the failed transaction remains; its stream ends here."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _run(self, verb: Verb, day: date | None, group: list[Request]) -> list[tuple[Request, Outcome]]:
        if verb is Verb.REVERSAL and day is not None:
            return await self._book(verb, day, group)  # money that went the wrong way goes back, whoever is barred
        if not self._guard.knows and time.monotonic() - group[0].since < self._settings.known_for:
            raise NotKnown
        barred = self._guard.judge(group)
        if not any(barred):
            return await (self._inquire(group) if day is None else self._book(verb, day, group))
        free = [one for one, refusal in zip(group, barred, strict=True) if not refusal]
        others = [(one, refusal) for one, refusal in zip(group, barred, strict=True) if refusal]
        if day is None:
            found = [(one, Outcome(refusal)) for one, refusal in others]
            return found + (await self._inquire(free) if free else [])
        found = await self._book(verb, day, [one for one, _ in others], [refusal for _, refusal in others])
        return found + (await self._book(verb, day, free) if free else [])

    async def _inquire(self, group: list[Request]) -> list[tuple[Request, Outcome]]:
        connection = self._open_connection()
        row = await connection.fetchrow(
            _BALANCE,
            [one.terminal.institution_id for one in group],
            [one.terminal.id for one in group],
            [one.card for one in group],
            [one.scheme for one in group],
            [one.country for one in group],
        )
        await connection.execute(_COMMIT)
        return [
            (group[place - 1], Outcome(refusal, None, balance))
            for place, refusal, balance in zip(*row.values(), strict=True)
        ]

    async def _book(
        self, verb: Verb, day: date, group: list[Request], refusals: list[int] | None = None
    ) -> list[tuple[Request, Outcome]]:
        """Write requests with their outcome; `refusals`: they are barred, each with its number."""
        connection = self._open_connection()
        if day not in self._days:
            await connection.execute("SELECT transactions_ensure_day($1)", day)
            await connection.execute(_COMMIT)
            self._days.add(day)
        seal = self._stream << sealing.STREAM_SHIFT | self._place + 1
        for one in group:
            one.attempted = True
        row = await connection.fetchrow(
            _REFUSE if refusals else _PURCHASE if verb is Verb.PURCHASE else _REVERSAL,
            day,
            [one.terminal.institution_id for one in group],
            [one.terminal.id for one in group],
            [one.stan for one in group],
            [one.card for one in group],
            [one.scheme for one in group],
            [one.amount for one in group],
            [one.currency for one in group],
            [one.country for one in group],
            [one.rrn for one in group],
            [one.local_time for one in group],
            seal,
            *([refusals] if refusals else ()),
        )
        rows = _rows(verb, day, group, row)
        if rows:
            root = sealing.root_of(self._root, rows)
            await connection.execute(f"EXECUTE seal ({seal}, {len(rows)}, '\\x{root.hex()}'); {_COMMIT}")
            self._place += 1
            self._root = root
        else:
            await connection.execute(_COMMIT)
        return await self._outcomes(group, row)

    async def _outcomes(self, group: list[Request], row: Any) -> list[tuple[Request, Outcome]]:
        settled = await self._settlement_date(row["window_id"])
        found = []
        if row["places"] is not None:
            found = [
                (group[place - 1], Outcome(refusal, number, balance, settled))
                for place, refusal, number, balance in zip(
                    row["places"], row["refusals"], row["ids"], row["balances"], strict=True
                )
            ]
        if row["stored_places"] is not None:
            columns = ("places", "refusals", "ids", "balances", "windows", "differs")
            for place, refusal, number, balance, window, differs in zip(
                *(row[f"stored_{name}"] for name in columns), strict=True
            ):
                day = await self._settlement_date(window) if window is not None else None
                found.append((group[place - 1], Outcome(refusal, number, balance, day, differs)))
        return found

    async def _settlement_date(self, window: int) -> date:
        found = self._settlement.get(window)
        if found is None:
            connection = self._open_connection()
            found = await connection.fetchval("SELECT settlement_date FROM transactions_window WHERE id = $1", window)
            await connection.execute(_COMMIT)
            self._settlement[window] = found
        return found

    def _open_connection(self) -> asyncpg.Connection:
        if self._connection is None:
            raise asyncpg.InterfaceError("not connected")
        return self._connection


def _unknown(request: Request) -> Outcome:
    """What to say when we gave up: unknown if the database may have it, else not taken."""
    return Outcome((Code.SWITCH_OUTCOME_UNKNOWN if request.attempted else Code.SWITCH_BUSY).value)


def _rows(verb: Verb, day: date, group: list[Request], row: Any) -> list[tuple[object, ...]]:
    """The rows that a batch wrote, as they are sealed, in the order of their numbers."""
    if row["places"] is None:
        return []
    window, at = row["window_id"], sealing.microseconds(row["booked_at"])
    written: list[tuple[object, ...]] = []
    originals = row["originals"] if verb is Verb.REVERSAL else None
    columns = zip(
        row["places"], row["refusals"], row["ids"], row["balances"], row["accounts"], row["cards"], strict=True
    )
    for index, (place, refusal, number, balance, account, card) in enumerate(columns):
        one = group[place - 1]
        terminal = one.terminal
        key = (day, terminal.institution_id, terminal.id, one.stan, one.local_time, one.card, one.scheme, one.amount)
        rest = (one.currency, one.country, one.rrn)
        if originals is None:
            written.append((number, 1, *key, *rest, refusal, balance, account, card, window, None, at))
            continue
        written.append((number, 2, *key, *rest, refusal, balance, account, card, window, originals[index], at))
        tombstone = row["tombstones"][index]
        if tombstone is not None:
            refused = Code.TRANSACTION_REVERSED_BEFORE.value
            written.append((tombstone, 1, *key, *rest, refused, None, None, None, window, None, at))
    written.sort(key=lambda item: item[0])  # type: ignore[arg-type,return-value]
    return written
