"""The load of the fault runs: tills that keep what they asked, go on until they know, and notice a second answer.

A till has one request under way. When its line breaks or nothing comes it does what a terminal does: it opens a new
line and asks again with the repeat of its message, or takes the request back and repeats that, until it has an answer
that is not "busy" (91) or "unknown" (96).
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import uvloop

from bench.verb_mix import REVERSAL, Key, Message
from sheka.foundation.iso8583 import decode
from sheka.foundation.iso8583.framing import HEADER_BYTES, frame

NOT_FINAL = ("91", "96")
BUSINESS_DATE = 4409
"""The refusal of a date out of range: a till whose clock is right asks a reversal again."""
PATIENCE = 6.0
"""Seconds that a till waits for an answer before it takes the line for dead."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the switch answered: field 39, field 63 (refusal), field 38 and the balance of field 54."""

    code: str
    refusal: int
    authorisation: str | None
    balance: int | None


@dataclass
class Story:
    """What all tills lived through. `answers` by terminal, STAN, kind; `taken_back`: what was never answered and
    reversed instead; `told` counts what was not final.
    """

    answers: dict[Key, Said] = field(default_factory=dict)
    asked: dict[Key, Message] = field(default_factory=dict)
    taken_back: set[Key] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    different: list[str] = field(default_factory=list)
    longest: float = 0.0

    @property
    def open(self) -> list[Key]:
        """What was asked and neither answered for good nor taken back."""
        return [key for key in self.asked if key not in self.answers and key not in self.taken_back]

    def of_card(self, card: str) -> list[str]:
        """What was asked of a card and what became of it, for people who look for a fault."""
        told = []
        for key, message in self.asked.items():
            if message.card == card:
                said = self.answers.get(key)
                became = "no answer" if said is None else f"{said.code} {said.refusal}"
                told.append(f"{key} of {message.about}, {message.amount}: {became}")
        return told

    def take(self, message: Message, said: Said) -> None:
        """An answer for good. The same request has the same answer for ever; only what was refused for its date left
        nothing behind, and is judged anew when it is asked again with the clock right.
        """
        self.asked.setdefault(message.key, message)
        if message.key in self.answers and self.answers[message.key].refusal == BUSINESS_DATE:
            del self.answers[message.key]
        before = self.answers.setdefault(message.key, said)
        if before != said and message.kind:
            self.different.append(f"{message.key}: {before}, then {said}")


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
            if message.key in self.story.taken_back:
                continue
            self.story.asked.setdefault(message.key, message)
            began = time.monotonic()
            await self._settle(lines, message)
            self.story.longest = max(self.story.longest, time.monotonic() - began)
            if self._pause:
                await asyncio.sleep(self._pause)
        for line in lines:
            line.close()

    async def _settle(self, lines: list[_Line], message: Message) -> None:
        """Ask on every line at once until each has an answer for good, or the request was taken back."""
        undo = message.undo if len(lines) == 1 else None
        said = await asyncio.gather(*(self._know(line, message, give_up=undo is not None) for line in lines))
        for one in said:
            if one is not None:
                self.story.take(message, one)
            elif undo is not None:
                self.story.taken_back.add(message.key)
                await self._settle(lines, undo)

    async def _know(self, line: _Line, message: Message, *, give_up: bool) -> Said | None:
        """Ask until there is an answer for good; None: gave up, the outcome is not known."""
        wait, again = 0.02, message.key in self.story.answers
        while True:
            said = await line.ask(message.repeat if again else message.encoded, self._random.random() < self._cut)
            again_later = message.kind == REVERSAL and said is not None and said.refusal == BUSINESS_DATE
            if said is not None and said.code not in NOT_FINAL and not again_later:
                return said
            self.story.told[said.code if said is not None else "no answer"] += 1
            if give_up and (said is None or said.code == "96"):
                return None
            again = True
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
