"""The load of the fault runs: tills that keep what they asked, ask again until they know, and notice a second answer.

A till has one request under way. When its line breaks or nothing comes it does what a terminal does: it opens a new
line and sends the very same message again, until it has an answer that is not "busy" (91) or "unknown" (96).
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import uvloop

from sheka.foundation.iso8583 import decode
from sheka.foundation.iso8583.framing import HEADER_BYTES, frame

NOT_FINAL = ("91", "96")
PATIENCE = 6.0
"""Seconds that a till waits for an answer before it takes the line for dead."""


@dataclass(frozen=True, slots=True)
class Message:
    """One request as a till keeps it. `key` is terminal and STAN; `kind` 1 purchase, 2 its reversal."""

    terminal: int
    stan: int
    kind: int
    card: str
    amount: int
    encoded: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """What the switch answered: field 39, field 63 (refusal), field 38 and the balance of field 54."""

    code: str
    refusal: int
    authorisation: str | None
    balance: int | None


@dataclass
class Story:
    """What all tills lived through. `answers` by terminal, STAN, kind; `told` counts what was not final."""

    answers: dict[tuple[int, int, int], Said] = field(default_factory=dict)
    asked: dict[tuple[int, int, int], Message] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    different: list[str] = field(default_factory=list)
    longest: float = 0.0

    @property
    def open(self) -> list[tuple[int, int, int]]:
        """What was asked and never answered for good."""
        return [key for key in self.asked if key not in self.answers]


class Load:
    """Tills at work in a thread of their own: `with Load(...) as load: ...` ends when each knows what became of its
    last request.

    `addresses`: where the switch listens; with two, every message goes to both at the same moment and both must say the
    same. `cut`: how often (0 to 1) a till ends its line between request and answer. `resolve`: seconds to know at the
    end.
    """

    def __init__(
        self,
        addresses: list[tuple[str, int]],
        queues: list[list[Message]],
        *,
        cut: float = 0.0,
        pause: float = 0.0,
        resolve: float = 90.0,
        seed: int = 1,
    ) -> None:
        self.story = Story()
        self._addresses = addresses
        self._queues = queues
        self._cut = cut
        self._pause = pause
        self._resolve = resolve
        self._random = random.Random(seed)
        self._stopping = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._thread.join()
        if self._failed is not None:
            raise self._failed

    def answered(self, count: int, seconds: float = 30.0) -> None:
        """Wait until so many more answers have come."""
        wanted, deadline = len(self.story.answers) + count, time.monotonic() + seconds
        while len(self.story.answers) < wanted and time.monotonic() < deadline and self._thread.is_alive():
            time.sleep(0.01)

    def _run(self) -> None:
        try:
            uvloop.run(self._all())
        except BaseException as error:
            self._failed = error

    async def _all(self) -> None:
        tills = [asyncio.create_task(self._till(queue)) for queue in self._queues]
        while not self._stopping.is_set() and not all(till.done() for till in tills):
            await asyncio.sleep(0.05)
        _done, late = await asyncio.wait(tills, timeout=self._resolve)
        for till in late:
            till.cancel()
        for till in tills:
            if till.done() and not till.cancelled():
                till.result()

    async def _till(self, queue: list[Message]) -> None:
        lines = [_Line(host, port) for host, port in self._addresses]
        for message in queue:
            if self._stopping.is_set():
                break
            key = (message.terminal, message.stan, message.kind)
            self.story.asked[key] = message
            began = time.monotonic()
            said = await asyncio.gather(*(self._know(line, message) for line in lines))
            self.story.longest = max(self.story.longest, time.monotonic() - began)
            if len(set(said)) != 1:
                self.story.different.append(f"{key}: {said}")
            self.story.answers[key] = said[0]
            if self._pause:
                await asyncio.sleep(self._pause)
        for line in lines:
            line.close()

    async def _know(self, line: _Line, message: Message) -> Said:
        """Ask until there is an answer for good."""
        wait = 0.02
        while True:
            said = await line.ask(message.encoded, self._random.random() < self._cut)
            if said is not None and said.code not in NOT_FINAL:
                return said
            self.story.told[said.code if said is not None else "no answer"] += 1
            self.story.repeats += 1
            await asyncio.sleep(wait)
            wait = min(wait * 2, 0.5)


class _Line:
    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, encoded: bytes, cut: bool) -> Said | None:
        """The answer, None when none came; with `cut` the line is ended as soon as the request is on its way."""
        try:
            async with asyncio.timeout(PATIENCE):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(*self._address)
                reader, writer = self._streams
                writer.write(frame(encoded))
                if cut:
                    await asyncio.sleep(0.001)
                    raise ConnectionAbortedError
                while True:
                    size = int.from_bytes(await reader.readexactly(HEADER_BYTES))
                    fields = decode(await reader.readexactly(size)).fields
                    if fields.get(11) == encoded_stan(encoded):
                        break
            balance = fields.get(54)
            return Said(
                str(fields[39]),
                int(str(fields.get(63, 0))),
                None if 38 not in fields else str(fields[38]),
                None if balance is None else int(str(balance)[8:20]),
            )
        except (OSError, EOFError, TimeoutError):
            self.close()
            return None

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


def encoded_stan(encoded: bytes) -> object:
    """Field 11 of a message of ours."""
    return decode(encoded).fields[11]
