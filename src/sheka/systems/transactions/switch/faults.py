"""Wrong messages of terminals: counted in the database, so that every switch of the node counts together (S4).

Counts are gathered in memory and written a few times a second: a flood of wrong messages costs one row. At the number
of the policy the database locks the terminal, tells the exceptions desk and the audit of it, and the registry says so
to every switch.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable

from sheka.systems.transactions.line_policy import LinePolicy
from sheka.systems.transactions.switch.requests import Request
from sheka.systems.transactions.switch.side_door import BROKEN, SideDoor

log = logging.getLogger("sheka.switch")
PAUSE = 0.2
_WRITE = "SELECT switch_faults($1, $2::integer[], $3::integer[], $4, $5, $6::jsonb)"


class Faults:
    """`count` is called for each wrong message; `kind` is "mac", "proof" or "clock"."""

    def __init__(self, door: SideDoor, policy: LinePolicy) -> None:
        self._door, self._policy = door, policy
        self._waiting: dict[str, Counter[int]] = defaultdict(Counter)
        self._facts: dict[str, dict[str, str]] = {}
        self._task: asyncio.Task[None] | None = None

    def count(self, kind: str, requests: Iterable[Request]) -> None:
        for request in requests:
            self._waiting[kind][request.terminal.id] += 1
            self._facts[kind] = {"type": request.type, "peer": request.line.peer, "field_7": str(request.fields.get(7))}
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_soon())

    async def stop(self) -> None:
        """Write what is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._write()

    async def _write_soon(self) -> None:
        while self._waiting:
            await self._write()
            await asyncio.sleep(PAUSE)

    async def _write(self) -> None:
        for kind, counter in list(self._waiting.items()):
            del self._waiting[kind]
            limit = self._policy.faults.get(kind, 0)
            try:
                terminals, times = list(counter.keys()), list(counter.values())
                facts = json.dumps(self._facts.get(kind, {}))
                locked = await self._door.value(
                    _WRITE, kind, terminals, times, limit, self._policy.fault_seconds, facts
                )
            except BROKEN as error:
                log.warning("wrong messages: %r", error)
                self._waiting[kind].update(counter)
                return
            if locked:
                log.warning("locked for wrong messages (%s): terminals %s", kind, locked)
