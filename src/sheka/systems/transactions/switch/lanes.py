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
from sheka.systems.transactions.switch.booking import rows_of, said
from sheka.systems.transactions.switch.guard import Guard
from sheka.systems.transactions.switch.requests import Request, Verb
from sheka.systems.transactions.switch.settings import SwitchSettings
from sheka.systems.transactions.switch.settlements import COMMIT, compare
from sheka.systems.transactions.switch.verbs import BATCH, CREDITS

log = logging.getLogger("sheka.switch")
_NUMBERS = (
    "SELECT switch_offline_numbers($1::date, $2::integer[], $3::integer[], $4::integer[], $5::text[], $6::bigint[],"
    " $7::bigint[], $8::smallint[])"
)
_TODAY = "SELECT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date"
_BALANCE = "SELECT * FROM switch_balance_batch($1::integer[], $2::integer[], $3::text[], $4::text[], $5::smallint[])"
_ROLLBACK = "ROLLBACK AND CHAIN"
_ARCHIVED = "SK504"
"""SQLSTATE of a row for a day that was taken off (partitions.sql)."""
_PREPARE_SEAL = "PREPARE seal (bigint, integer, bytea) AS INSERT INTO transactions_seal VALUES ($1, $2, $3)"
_BROKEN = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the line was cut while a statement was being prepared
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, crashed, cannot connect now
)
#: Verbs that are booked together, by the first of them; all others with Verb.ADVICE.
_FAMILY = {verb: verb for verb in (Verb.PURCHASE, Verb.REVERSAL, Verb.BALANCE)} | dict.fromkeys(BATCH, Verb.SETTLEMENT)
_DATED = frozenset({Verb.PURCHASE, Verb.REVERSAL, Verb.ADVICE})
_FOR_NOW = frozenset((Code.BLOCK_LIST_NOT_KNOWN.value, Code.MACHINE_OUT_OF_PRODUCTION.value))
"""Refusals that are no decline: the same request may be taken a moment later."""
_OF_CARDS = frozenset(
    code.value for code in (Code.CARD_ON_BLOCK_LIST, Code.CARD_RANGE_ON_BLOCK_LIST, Code.KEY_VERSION_ON_BLOCK_LIST)
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
        """Book examined requests, in one transaction for each family of verbs and business date."""
        groups: dict[tuple[Verb, date | None], list[Request]] = defaultdict(list)
        for request in batch:
            family = _FAMILY.get(request.verb, Verb.ADVICE)
            groups[family, request.date if family in _DATED else None].append(request)
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
            except BaseException:  # never go on, or stand still, inside a transaction that holds locks
                self._abandon()
                raise
            if time.monotonic() - group[0].since > self._settings.patience:
                return [(one, _unknown(one)) for one in group]

    def _abandon(self) -> None:
        """After a fault: a new connection, so that nothing of the failed transaction remains; its stream ends here."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _run(self, verb: Verb, day: date | None, group: list[Request]) -> list[tuple[Request, Outcome]]:
        if day is not None and any(one.misdated for one in group):
            if verb is not Verb.REVERSAL or not await self._may_reverse(day):
                return await self._recall(verb, day, group)
            for one in group:
                one.misdated = False
        if verb is Verb.REVERSAL and day is not None:
            return await self._book(verb, day, group)  # money that went the wrong way goes back, whoever is barred
        if verb is Verb.SETTLEMENT:
            return await compare(self._open_connection(), group)
        if not self._guard.knows and time.monotonic() - group[0].since < self._settings.known_for:
            raise NotKnown
        barred = self._guard.judge(group)
        if day is not None and _FOR_NOW.intersection(barred):
            return await self._put_off(verb, day, group, barred)
        if day is not None and any(one.offline is not None for one in group):
            await self._ensure(day)
            barred = await self._bar_replays(day, group, barred)  # what follows books in the same transaction
        if verb is Verb.ADVICE and day is not None:
            found = [
                0 if number in _OF_CARDS and one.verb in CREDITS else number
                for one, number in zip(group, barred, strict=True)
            ]
            return await self._book(verb, day, group, found)
        if not any(barred):
            return await (self._inquire(group) if day is None else self._book(verb, day, group))
        free = [one for one, refusal in zip(group, barred, strict=True) if not refusal]
        others = [(one, refusal) for one, refusal in zip(group, barred, strict=True) if refusal]
        if day is None:
            found = [(one, Outcome(refusal)) for one, refusal in others]
            return found + (await self._inquire(free) if free else [])
        found = await self._book(verb, day, free) if free else []
        return found + await self._book(verb, day, [one for one, _ in others], [refusal for _, refusal in others])

    async def _put_off(
        self, verb: Verb, day: date, group: list[Request], barred: list[int]
    ) -> list[tuple[Request, Outcome]]:
        """Requests that cannot be judged at present (91: the terminal sends the very same again) have what is stored
        under their key as answer, and leave nothing behind when nothing is stored: a decline would be for ever.
        """
        await self._ensure(day)
        later = [(one, number) for one, number in zip(group, barred, strict=True) if number in _FOR_NOW]
        found = await self._book(verb, day, [one for one, _ in later], [number for _, number in later], keep=False)
        rest = [one for one, number in zip(group, barred, strict=True) if number not in _FOR_NOW]
        return found + (await self._run(verb, day, rest) if rest else [])

    async def _recall(self, verb: Verb, day: date, group: list[Request]) -> list[tuple[Request, Outcome]]:
        """Requests of a date out of range: what is stored under their key stays their answer, though a clock jumped;
        who has none is refused and leaves nothing behind, no partition either.
        """
        number = Code.BUSINESS_DATE_OUT_OF_RANGE.value
        late = [one for one in group if one.misdated]
        try:
            found = await self._book(verb, day, late, [number] * len(late), keep=False)
        except asyncpg.PostgresError as error:
            if error.sqlstate != _ARCHIVED:
                raise
            await self._open_connection().execute(_ROLLBACK)
            found = [(one, Outcome(number)) for one in late]
        rest = [one for one in group if not one.misdated]
        return found + (await self._run(verb, day, rest) if rest else [])

    async def _may_reverse(self, day: date) -> bool:
        """Whether the database's clock says that reversals of a day are in time: ours may have jumped, and a reversal
        that is turned away is a citizen's money.
        """
        back, ahead = self._settings.reversal_days_back, self._settings.days_ahead
        return -back <= (day - await self._open_connection().fetchval(_TODAY)).days <= ahead

    async def _bar_replays(self, day: date, group: list[Request], barred: list[int]) -> list[int]:
        """Take the offline numbers of what card and PSAM signed; who comes with a used one is barred (C1, S10)."""
        places = [at for at, one in enumerate(group) if one.offline is not None and not barred[at]]
        if not places:
            return barred
        signed = [group[at] for at in places]
        replays = await self._open_connection().fetchval(
            _NUMBERS,
            day,
            [one.terminal.institution_id for one in signed],
            [one.terminal.id for one in signed],
            [one.stan for one in signed],
            [one.card for one in signed],
            [one.offline for one in signed],
            [one.amount for one in signed],
            [one.kind for one in signed],
        )
        found = list(barred)
        for place in replays:
            found[places[place - 1]] = Code.OFFLINE_NUMBER_USED.value
        return found

    async def _ensure(self, day: date) -> None:
        """The day has its partition; a transaction of its own, once for a lane."""
        if day not in self._days:
            await self._open_connection().execute("SELECT transactions_ensure_day($1)", day)
            await self._open_connection().execute(COMMIT)
            self._days.add(day)

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
        await connection.execute(COMMIT)
        return [
            (group[place - 1], Outcome(refusal, None, balance))
            for place, refusal, balance in zip(*row.values(), strict=True)
        ]

    async def _book(
        self,
        verb: Verb,
        day: date,
        group: list[Request],
        refusals: list[int] | None = None,
        *,
        keep: bool = True,
    ) -> list[tuple[Request, Outcome]]:
        """Write requests with their outcome; `refusals`: the numbers of those that are barred, 0 for the others.
        Without `keep` nothing is written: who has no stored answer is told the number of `refusals`.
        """
        if keep:
            await self._ensure(day)
        connection = self._open_connection()
        seal = self._stream << sealing.STREAM_SHIFT | self._place + 1
        for one in group:
            one.attempted = True
        row = await connection.fetchrow(*said(verb, day, group, refusals, seal, self._settings.limits))
        if not keep:
            await connection.execute(_ROLLBACK)
            new = [(group[place - 1], Outcome((refusals or [])[place - 1])) for place in row["places"] or ()]
            return new + await self._stored(group, row)
        rows = rows_of(verb, day, group, row)
        if rows:
            root = sealing.root_of(self._root, rows)
            await connection.execute(f"EXECUTE seal ({seal}, {len(rows)}, '\\x{root.hex()}'); {COMMIT}")
            self._place += 1
            self._root = root
        else:
            await connection.execute(COMMIT)
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
        return found + await self._stored(group, row)

    async def _stored(self, group: list[Request], row: Any) -> list[tuple[Request, Outcome]]:
        """What was written before under the keys of a batch."""
        found = []
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
            await connection.execute(COMMIT)
            self._settlement[window] = found
        return found

    def _open_connection(self) -> asyncpg.Connection:
        if self._connection is None:
            raise asyncpg.InterfaceError("not connected")
        return self._connection


def _unknown(request: Request) -> Outcome:
    """What to say when we gave up: unknown if the database may have it, else not taken."""
    return Outcome((Code.SWITCH_OUTCOME_UNKNOWN if request.attempted else Code.SWITCH_BUSY).value)
