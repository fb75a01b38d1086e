"""The journal of the switch: what came and went over the lines, frame by frame (S4, S10; docs/adr/0031).

Written behind the answers over a connection of its own, so that it neither slows nor fails a purchase: what waits is
bounded, and what found no room is counted and told. PIN block (52, 59) and track 2 (35) are blanked before anything is
kept, and so is a key that was given out (48 of an 0810); of a message that cannot be read only the part that could be
is kept, and never behind it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg

from sheka.foundation.iso8583 import Value, decode, encode
from sheka.foundation.iso8583.prefix import readable_prefix
from sheka.systems.transactions.switch.requests import ZONE, Request

if TYPE_CHECKING:
    from sheka.systems.transactions.switch.connection import Line
    from sheka.systems.transactions.switch.settings import SwitchSettings

log = logging.getLogger("sheka.switch")
PIN_BLOCK, SM4_PIN_BLOCK, TRACK_2, KEYS = 52, 59, 35, 48
BATCH = 512
"""Messages of one statement."""
PAUSE = 0.25
PATIENCE = 10.0
UNREADABLE = 50
"""Messages a second that were refused before their sender was known and are kept: nobody fills the disk with noise."""
LONGEST = 512
"""Bytes kept of a message that cannot be read."""
_ENSURE = "SELECT transactions_ensure_message_day($1)"
_WRITE = "SELECT switch_journal($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
_LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)


class Unread(NamedTuple):
    """A message refused before its sender was known: as it came, what was said to it, and why."""

    line: Line
    data: bytes
    said: bytes | None
    refusal: int
    request: Request | None
    since: float


class Row(NamedTuple):
    """What is kept of a message, in the order of the columns; moments are epoch microseconds."""

    came: int
    went: int | None
    stan: int | None
    refusal: int | None
    size: int
    terminal: str
    type: str
    organisation: str
    line: str
    request: bytes
    answer: bytes | None


class Journal:
    """`keep` and `refuse` are called by the switch and only remember; one task writes. `settings.journal`: how many
    messages may wait, 0 for no journal. `kept` and `dropped` count messages.
    """

    def __init__(self, settings: SwitchSettings) -> None:
        self._settings = settings
        self._most = settings.journal
        self._waiting: list[tuple[float, list[Request] | list[Unread]]] = []
        self._held = 0
        self._process = ""
        self._days: set[date] = set()
        self._unreadable = [0.0, 0]
        self._connection: asyncpg.Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._taken = 0
        self._told = 0
        self.kept = 0
        self.dropped = 0

    def start(self, process: str) -> None:
        """Write from now on; `process` names this switch in the rows."""
        self._process = process
        if self._most:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what waits, as far as the database takes it within a moment."""
        if self._task is None:
            return
        self._stopping.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._task, PATIENCE)
        if self._connection is not None:
            with suppress(*_LOST):
                await self._connection.close(timeout=2)

    def keep(self, batch: list[Request]) -> None:
        """Requests with what was answered (`answer`, None for nothing)."""
        if self._held + len(batch) > self._most:
            self.dropped += len(batch) if self._most else 0
            return
        self._held += len(batch)
        self._waiting.append((time.monotonic(), batch))

    def refuse(self, line: Line, data: bytes, said: bytes | None, refusal: int, request: Request | None) -> None:
        """A message of nobody known, or that cannot be read: some a second are kept."""
        now = time.monotonic()
        if now - self._unreadable[0] >= 1.0:
            self._unreadable = [now, 0]
        self._unreadable[1] += 1
        if self._unreadable[1] > UNREADABLE or self._held >= self._most:
            self.dropped += 1 if self._most else 0
            return
        self._held += 1
        self._waiting.append((now, [Unread(line, data, said, refusal, request, now)]))

    async def _run(self) -> None:
        """Nothing that goes wrong here is felt by a purchase: it is logged, and what finds no room is dropped."""
        while self._waiting or not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), PAUSE)
            try:
                while self._waiting:
                    await self._write()
            except _LOST as error:
                log.warning("journal: %r", error)
                self._disconnect()
                await asyncio.sleep(1.0)
            except Exception:  # these messages will never do: without them the next ones will
                log.exception("journal: %d messages", self._taken)
                self._disconnect()
                self.dropped += self._leave()
            if self.dropped > self._told:
                log.warning("journal: %d messages were not kept so far", self.dropped)
                self._told = self.dropped

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None

    def _leave(self) -> int:
        """The messages that were taken leave the queue; how many they were."""
        count = sum(len(batch) for _, batch in self._waiting[: self._taken])
        del self._waiting[: self._taken]
        self._held -= count
        return count

    async def _write(self) -> None:
        """One statement for each day of the next messages; they leave the queue when it is done."""
        if self._connection is None:
            self._connection = await asyncpg.connect(
                self._settings.dsn,
                timeout=PATIENCE,
                command_timeout=PATIENCE,
                server_settings={"application_name": "switch journal", "synchronous_commit": "off"},
            )
        self._taken = count = 0
        while self._taken < len(self._waiting) and count < BATCH:
            count += len(self._waiting[self._taken][1])
            self._taken += 1
        for day, rows in self._by_day(self._waiting[: self._taken]).items():
            if day not in self._days:
                await self._connection.execute(_ENSURE, day)
                self._days.add(day)
            await self._connection.execute(_WRITE, day, self._process, *map(list, zip(*rows, strict=True)))
        self.kept += self._leave()

    def _by_day(self, waiting: Iterable[tuple[float, list[Request] | list[Unread]]]) -> dict[date, list[Row]]:
        epoch = time.time() - time.monotonic()
        today = datetime.now(ZONE).date()
        found: dict[date, list[Row]] = defaultdict(list)
        for went, batch in waiting:
            for one in batch:
                if isinstance(one, Unread):
                    found[today].append(_unread_row(one, epoch, self._settings.root))
                    continue
                day = None if one.misdated else getattr(one, "date", None)  # no date makes a day of its own
                found[day or today].append(_row(one, day is not None, epoch, went))
        return found


def _row(one: Request, judged: bool, epoch: float, went: float) -> Row:
    """`judged`: its key was read; else the STAN of the message itself is the key."""
    fields, answer = one.fields, one.answer
    frame = one.signed + one.mac
    if PIN_BLOCK in fields or SM4_PIN_BLOCK in fields or TRACK_2 in fields:
        frame = blanked(one.type, fields)
    if answer is not None and one.type == "0800":
        answer = without_keys(answer)
    terminal = one.terminal
    return Row(
        int((epoch + one.since) * 1e6),
        int((epoch + went) * 1e6) if answer is not None else None,
        one.stan if judged else stan_of(fields),
        one.refusal if answer is not None else None,
        len(frame),
        terminal.number,
        one.type,
        terminal.organisation,
        one.line.peer,
        frame,
        answer,
    )


def _unread_row(one: Unread, epoch: float, root: str) -> Row:
    request, moment = one.request, int((epoch + one.since) * 1e6)
    kind, fields = (request.type, request.fields) if request is not None else readable_prefix(one.data)
    kept = blanked(kind, fields) if kind else b""
    return Row(
        moment,
        moment if one.said is not None else None,
        stan_of(fields),
        one.refusal if one.said is not None else None,
        len(one.data),
        str(fields.get(41, "")),
        kind,
        root,
        one.line.peer,
        kept[:LONGEST] if request is None else kept,
        one.said,
    )


def stan_of(fields: dict[int, Any]) -> int | None:
    """The STAN of a message, None where it has none."""
    found = fields.get(11)
    return int(found) if isinstance(found, str) else None


def blanked(kind: str, fields: dict[int, Value]) -> bytes:
    """The message with zeros for PIN block and track 2: as long as before, every other byte as it came."""
    hidden: dict[int, Value] = {}
    if PIN_BLOCK in fields:
        hidden[PIN_BLOCK] = bytes(8)
    if SM4_PIN_BLOCK in fields:
        hidden[SM4_PIN_BLOCK] = bytes(16)
    if TRACK_2 in fields:
        hidden[TRACK_2] = "0" * len(fields[TRACK_2])
    return encode(kind, {**fields, **hidden})


def without_keys(answer: bytes) -> bytes:
    """An answer to network management with zeros for the key that it gave out (field 48)."""
    kind, fields = decode(answer)
    given = fields.get(KEYS)
    return encode(kind, {**fields, KEYS: "0" * len(given)}) if given else answer
