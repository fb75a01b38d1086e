"""The switch as a whole: listens, reads, checks, books, answers, stops without losing an answer (S4)."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import Counter
from functools import partial

from sheka.equipment.server.files import make_socket_folder
from sheka.foundation.iso8583.framing import frame
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.response_codes import response_code
from sheka.systems.transactions.switch.answers import Outcome, answer, refuse_frame
from sheka.systems.transactions.switch.batches import Queue
from sheka.systems.transactions.switch.connection import Line, Lines, allow_files
from sheka.systems.transactions.switch.faults import Faults
from sheka.systems.transactions.switch.guard import Guard
from sheka.systems.transactions.switch.journal import Journal
from sheka.systems.transactions.switch.lanes import Lane
from sheka.systems.transactions.switch.machine import Macs
from sheka.systems.transactions.switch.meter import Meter
from sheka.systems.transactions.switch.network import Network
from sheka.systems.transactions.switch.proofs import Proofs
from sheka.systems.transactions.switch.registry import Registry
from sheka.systems.transactions.switch.requests import Intake, Request, Unanswerable, Verb
from sheka.systems.transactions.switch.settings import SwitchSettings
from sheka.systems.transactions.switch.side_door import SideDoor
from sheka.systems.transactions.switch.tls import Certificates, SecureLine
from sheka.systems.transactions.switch.verbs import MONEY

log = logging.getLogger("sheka.switch")


class Switch:
    """One process. `counts` holds how many answers of each response code were given, and what else happened."""

    def __init__(self, settings: SwitchSettings) -> None:
        self._settings = settings
        self.counts: Counter[str] = Counter()
        self._lines = Lines(settings.connections)
        self._registry = Registry(settings.dsn, settings.line.overlap)
        self._intake = Intake(self._registry, settings)
        self._guard = Guard(settings)
        self._lanes = [Lane(settings, self._guard) for _ in range(settings.lanes)]
        work = [partial(self._take, lane) for lane in self._lanes]
        self._queue: Queue[Request] = Queue(work, most=settings.batch, crowd=settings.crowd)
        self._macs = Macs(settings.machines, settings.machine_patience)
        self._door = SideDoor(settings.dsn)
        self._faults = Faults(self._door, settings.line)
        self._network = Network(settings.line, self._registry, self._macs, self._door, self._faults)
        self._proofs = Proofs(settings.line, self._macs, self._door, self._faults, self._guard.is_idle)
        self._certificates: Certificates | None = None
        self._journal, self._meter = Journal(settings), Meter(settings)
        self._server: asyncio.Server | None = None
        self._inside: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> tuple[str, int]:
        """Connect and listen. Returns the address. A switch that cannot read the block list does not start, nor one
        that would listen beyond this machine without TLS.
        """
        self._certificates = self._settings.certificates()
        allow_files(self._settings.connections)
        await self._registry.start()
        await self._guard.start()
        for lane in self._lanes:
            await lane.open()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._line,
            self._settings.host,
            self._settings.port,
            backlog=1024,
            reuse_port=self._settings.share_port or None,
        )
        if self._settings.inside is not None:
            make_socket_folder(self._settings.inside.parent)
            self._settings.inside.unlink(missing_ok=True)
            self._inside = await loop.create_unix_server(self._plain_line, str(self._settings.inside))
        self._sweeper = asyncio.create_task(self._sweep())
        host, port = self._server.sockets[0].getsockname()[:2]
        self._journal.start(f"{port}.{os.getpid()}")
        self._meter.start(f"{port}.{os.getpid()}", self._gauges)
        return host, port

    async def stop(self) -> None:
        """Take no more requests, answer those under way, close."""
        for server in (self._server, self._inside):
            if server is not None:
                server.close()
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
        await self._faults.stop()
        await self._door.close()
        await self._macs.close()
        await self._journal.stop()
        await self._meter.stop()  # its last second counts what the journal has just kept
        await self._registry.stop()
        await self._guard.stop()
        log.info("stopped: %s", dict(self.counts))

    def _line(self) -> Line | SecureLine:
        """The protocol of a new connection."""
        if self._certificates is None:
            return self._plain_line()
        make = partial(Line, self._on_frame, self._lines, self._settings)
        holder = self._registry.holder
        return SecureLine(make, holder, self._lines, self._certificates, self._settings, self.counts)

    def _plain_line(self) -> Line:
        return Line(self._on_frame, self._lines, self._settings)

    def _idle(self) -> bool:
        return self._queue.idle

    def _gauges(self) -> tuple[int, int, int, int]:
        return len(self._lines), len(self._queue), self._journal.kept, self._journal.dropped

    def _on_frame(self, line: Line, data: bytes) -> None:
        try:
            request = self._intake.read(line, data)
        except Unanswerable as bad:
            self._refuse_unsigned(line, data, bad)
            return
        crowded = len(self._queue) > self._settings.queued
        request.busy = crowded and self._queue.of(line) >= self._settings.share
        self._queue.put(request)

    async def _take(self, lane: Lane, batch: list[Request]) -> None:
        """Nothing that goes wrong with one batch may stop a lane: its lines end, and the terminals reverse."""
        try:
            await self._serve(lane, batch)
        except Exception:
            log.exception("a batch of %d", len(batch))
            for request in batch:
                request.line.end()
        self._journal.keep(batch)
        self._meter.count(batch)

    async def _serve(self, lane: Lane, batch: list[Request]) -> None:
        """One batch from its MACs to its answers: one call of the machine, of the database, and of the machine
        again.
        """
        began = time.monotonic()
        good, bad = await self._macs.verify(batch)
        proven = time.monotonic()
        outcomes = [(request, Outcome(Code.MESSAGE_MAC_INVALID.value)) for request in bad]
        if bad:
            log.warning("wrong MAC: %s", Counter(request.terminal.number for request in bad))
            self._faults.count("mac", bad)
        ready = []
        for request in good:
            if not request.line.proven:
                self._lines.prove(request.line)
            outcome = self._examine(request)
            if outcome is not None:
                outcomes.append((request, outcome))
            elif request.verb is Verb.NETWORK:
                outcomes.append((request, await self._network.serve(request)))
            else:
                ready.append(request)
        if ready:
            unknown = {id(one) for one in await self._proofs.check(ready)}
            if unknown:
                outcomes += [(one, Outcome(Code.PROOF_NOT_KNOWN.value)) for one in ready if id(one) in unknown]
                ready = [one for one in ready if id(one) not in unknown]
        if ready:
            self._guard.see([one for one in ready if one.type[3] == "0" and one.verb in MONEY and not one.misdated])
            outcomes += await lane.book(ready)
        answers = []
        for request, outcome in outcomes:
            self.counts[response_code(outcome.refusal)] += 1
            request.refusal = outcome.refusal
            answers.append((request, answer(request, outcome)))
            if request.terminal.testing:
                self._guard.witness(request, outcome)
        booked = time.monotonic()
        if answers:
            await self._macs.send(answers)
        machine = time.monotonic() - booked + proven - began
        self._meter.batch(len(batch), len(self._queue), machine, booked - proven)

    def _examine(self, request: Request) -> Outcome | None:
        """An outcome for what is refused for its content, or for who says it when."""
        if request.busy:
            return Outcome(Code.SWITCH_BUSY.value)
        try:
            self._intake.examine(request)
        except Refused as refusal:
            field = refusal.facts.get("field")
            return Outcome(refusal.number, differs=field if isinstance(field, int) else None)
        refused = self._network.judge(request, self._guard.has_blocked(request.terminal.number))
        return Outcome(refused) if refused else None

    def _refuse_unsigned(self, line: Line, data: bytes, bad: Unanswerable) -> None:
        """An answer without MAC: nobody is known to whom a key belongs. A terminal trusts no such answer."""
        number = bad.refusal.number
        self.counts[response_code(number)] += 1
        self._meter.refuse(number)
        if bad.request is not None and bad.request.type[2] in "02468":
            said: bytes | None = answer(bad.request, Outcome(number), signed=False)
        else:
            said = refuse_frame(data, bad.refusal)
        self._journal.refuse(line, data, said, number, bad.request)
        if said is None:
            line.drop()
        else:
            line.send(frame(said))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            if self._certificates is not None:
                self._certificates.look()
            for line in [line for line in self._lines if line.is_late(now)]:
                self.counts["lines ended for silence"] += 1
                line.end()
