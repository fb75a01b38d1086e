"""The switch as a whole: listens, reads, checks, books, answers, stops without losing an answer (S4)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter

from sheka.foundation.iso8583.framing import frame
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.response_codes import response_code
from sheka.systems.transactions.switch.answers import Outcome, answer, refuse_frame
from sheka.systems.transactions.switch.connection import Line
from sheka.systems.transactions.switch.lanes import Lane
from sheka.systems.transactions.switch.machine import Macs
from sheka.systems.transactions.switch.registry import Registry
from sheka.systems.transactions.switch.requests import Intake, Request, Unanswerable, Verb
from sheka.systems.transactions.switch.settings import SwitchSettings

log = logging.getLogger("sheka.switch")


class Switch:
    """One process. `counts` holds how many answers of each response code were given, and what else happened."""

    def __init__(self, settings: SwitchSettings) -> None:
        self._settings = settings
        self.counts: Counter[str] = Counter()
        self._lines: set[Line] = set()
        self._registry = Registry(settings.dsn)
        self._intake = Intake(self._registry, settings)
        self._lanes = [Lane(settings, self._answer) for _ in range(settings.lanes)]
        self._macs = Macs(settings.machines, checked=self._checked, failed=self._fail, most=settings.batch)
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> tuple[str, int]:
        """Connect and listen. Returns the address."""
        await self._registry.start()
        for lane in self._lanes:
            await lane.open()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Line(self._on_frame, self._lines, self._settings),
            self._settings.host,
            self._settings.port,
            backlog=1024,
        )
        self._sweeper = asyncio.create_task(self._sweep())
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def stop(self) -> None:
        """Take no more requests, answer those under way, close."""
        if self._server is not None:
            self._server.close()
        for line in list(self._lines):
            line.stop_reading()
        deadline = time.monotonic() + self._settings.stop
        while time.monotonic() < deadline and not self._idle():
            await asyncio.sleep(0.01)
        for line in list(self._lines):
            line.finish()
        await asyncio.sleep(0.05)
        if self._sweeper is not None:
            self._sweeper.cancel()
        for lane in self._lanes:
            await lane.close()
        await self._macs.close()
        await self._registry.stop()
        log.info("stopped: %s", dict(self.counts))

    def _idle(self) -> bool:
        return self._macs.idle and all(lane.idle for lane in self._lanes)

    def _on_frame(self, line: Line, data: bytes) -> None:
        try:
            request = self._intake.read(line, data)
        except Unanswerable as bad:
            self._refuse_unsigned(line, data, bad)
            return
        if sum(map(len, self._lanes)) > self._settings.queued:
            self._answer([(request, Outcome(Code.SWITCH_BUSY.value))])
        else:
            self._macs.check(request)

    def _checked(self, good: list[Request], bad: list[Request]) -> None:
        """MACs were checked: book the good ones; the bad ones are answered A0 and counted."""
        refused = [(request, Outcome(Code.MESSAGE_MAC_INVALID.value)) for request in bad]
        queues: list[list[Request]] = [[] for _ in self._lanes]
        for request in good:
            try:
                self._intake.examine(request)
            except Refused as refusal:
                field = refusal.facts.get("field")
                refused.append((request, Outcome(refusal.number, differs=field if isinstance(field, int) else None)))
                continue
            except Exception:
                log.exception("a message of terminal %s", request.terminal.number)
                refused.append((request, Outcome(Code.SWITCH_BUSY.value)))
                continue
            if request.verb is Verb.NETWORK:
                refused.append((request, Outcome(0)))
            else:
                queues[hash(request.card) % len(queues)].append(request)
        for lane, queue in zip(self._lanes, queues, strict=True):
            lane.put_all(queue)
        if bad:
            log.warning("wrong MAC: %s", Counter(request.terminal.number for request in bad))
        if refused:
            self._answer(refused)

    def _answer(self, outcomes: list[tuple[Request, Outcome]]) -> None:
        """Encode the answers and have them signed."""
        items = []
        for request, outcome in outcomes:
            self.counts[response_code(outcome.refusal)] += 1
            items.append((request, answer(request, outcome)))
        self._macs.sign(items)

    def _refuse_unsigned(self, line: Line, data: bytes, bad: Unanswerable) -> None:
        """An answer without MAC: nobody is known to whom a key belongs. A terminal trusts no such answer."""
        number = bad.refusal.number
        self.counts[response_code(number)] += 1
        if bad.request is not None and bad.request.type[2] in "02468":
            line.send(frame(answer(bad.request, Outcome(number), signed=False)))
            return
        said = refuse_frame(data, bad.refusal)
        if said is None:
            line.drop()
        else:
            line.send(frame(said))

    def _fail(self, request: Request) -> None:
        """The machine does not answer: say nothing and hang up, so that the terminal treats the outcome as unknown."""
        self.counts["machine failed"] += 1
        request.line.drop()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            for line in [line for line in self._lines if line.is_late(now)]:
                self.counts["lines ended for silence"] += 1
                line.end()
