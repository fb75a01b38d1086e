"""The meter of the switch: each second one row of what it answered and how quickly (S4; docs/adr/0031).

Counting is a few additions a request; the rows are written over a connection of their own. A second that could not be
written is lost, never waited for.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg

from sheka.systems.transactions.pulse import bucket_of
from sheka.systems.transactions.switch.requests import Request

if TYPE_CHECKING:
    from sheka.systems.transactions.switch.settings import SwitchSettings

log = logging.getLogger("sheka.switch")
PATIENCE = 5.0
SILENT = -1
"""The refusal number of a request that got no answer."""
_WRITE = "SELECT switch_pulse($1, $2, $3, $4, $5, $6)"
_LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
Gauges = Callable[[], tuple[int, int, int, int]]
"""Lines open, requests that wait, messages kept and dropped by the journal so far."""


class Meter:
    """`count`, `refuse` and `batch` are called by the switch."""

    def __init__(self, settings: SwitchSettings) -> None:
        self._settings = settings
        self._process = ""
        self._task: asyncio.Task[None] | None = None
        self._connection: asyncpg.Connection | None = None
        self._gauges: Gauges = lambda: (0, 0, 0, 0)
        self._clear()
        self._before = (0, 0)
        self._told = 0
        self._cpu = 0.0

    def start(self, process: str, gauges: Gauges) -> None:
        """Write from now on; `process` names this switch in the rows."""
        self._process, self._gauges = process, gauges
        self._cpu = time.process_time()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write the second that is under way, and end."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        with suppress(*_LOST):
            await asyncio.wait_for(self._write(), PATIENCE)
        if self._connection is not None:
            with suppress(*_LOST):
                await self._connection.close(timeout=2)

    def count(self, batch: list[Request]) -> None:
        """Requests that were answered, or given up (`answer` None)."""
        now = time.monotonic()
        answers, latency = self._answers, self._latency
        for one in batch:
            place = one.terminal.organisation
            answered = one.answer is not None
            answers[place][getattr(one, "verb", 0), one.refusal if answered else SILENT] += 1
            if answered:
                latency[place][bucket_of(int((now - one.since) * 1e6))] += 1

    def refuse(self, refusal: int) -> None:
        """A message refused before its sender was known."""
        self._answers[self._settings.root][0, refusal] += 1

    def batch(self, size: int, queue: int, machine: float, base: float) -> None:
        """A batch that ran: requests in it and behind it, seconds that it waited for the machine and the database."""
        self._batches += 1
        self._requests += size
        self._largest = max(self._largest, size)
        self._queue = max(self._queue, queue)
        self._machine += machine
        self._base += base

    def _clear(self) -> None:
        self._answers: dict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
        self._latency: dict[str, Counter[int]] = defaultdict(Counter)
        self._batches = self._requests = self._largest = self._queue = 0
        self._machine = self._base = 0.0

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(1.0 - time.time() % 1.0)
            try:
                await self._write()
            except _LOST as error:
                log.warning("meter: %r", error)
                if self._connection is not None:
                    self._connection.terminate()
                self._connection = None

    def _second(self) -> int:
        """The second that is told, each once: what is written last, at the stop, does not fall into one that is."""
        self._told = max(int(time.time() - 0.5), self._told + 1)
        return self._told

    async def _write(self) -> None:
        lines, queue, kept, dropped = self._gauges()
        cpu = time.process_time()
        facts = [
            *(lines, max(queue, self._queue), self._batches, self._requests, self._largest),
            *(int(self._machine * 1e6), int(self._base * 1e6), int((cpu - self._cpu) * 1e6)),
            *(kept - self._before[0], dropped - self._before[1]),
        ]
        answers, latency = self._answers, self._latency
        places = sorted(answers)
        self._clear()
        self._before, self._cpu = (kept, dropped), cpu
        if self._connection is None:
            self._connection = await asyncpg.connect(
                self._settings.dsn,
                timeout=PATIENCE,
                command_timeout=PATIENCE,
                server_settings={"application_name": "switch meter", "synchronous_commit": "off"},
            )
        await self._connection.execute(
            _WRITE,
            datetime.fromtimestamp(self._second(), UTC),
            self._process,
            places,
            [json.dumps({f"{int(v)}:{n}": count for (v, n), count in answers[one].items()}) for one in places],
            [json.dumps(latency[one]) for one in places],
            facts,
        )
