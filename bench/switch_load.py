"""The load of the switch bench: many lines in one light process, each with one request under way, frames made
beforehand.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

import uvloop

_FIRST = 2 + 4
"""Where the bitmap of an answer begins: behind header and type."""
_BEFORE_39 = {3: 6, 4: 12, 7: 10, 11: 6, 12: 6, 13: 4, 15: 4, 19: 3, 25: 2, 37: 12, 38: 6}
"""Lengths of the fields before field 39 that an answer may have, all of them fixed."""
_places: dict[bytes, int] = {}


def _place_of_code(bitmap: bytes) -> int:
    """Where field 39 stands in an answer with these first 8 bytes of its bitmap."""
    bits = int.from_bytes(bitmap)
    there = [number for number in range(2, 39) if bits >> (64 - number) & 1]
    found = _places[bitmap] = _FIRST + (16 if bits >> 63 else 8) + sum(_BEFORE_39[number] for number in there)
    return found


@dataclass(frozen=True, slots=True)
class Load:
    """What a run gave: acknowledged requests a second, latencies in seconds, and how many answers were not
    approvals.
    """

    rate: float
    p50: float
    p99: float
    answers: int
    others: int


class _Line(asyncio.Protocol):
    """Sends the next frame when the answer to the last has come."""

    __slots__ = ("_held", "_run", "_sent", "_transport")

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._held = b""
        self._transport: asyncio.Transport | None = None
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def send(self) -> None:
        frame = self._run.next_frame()
        if frame is None or self._transport is None:
            self._run.finished()
            return
        self._sent = time.perf_counter()
        self._transport.write(frame)

    def data_received(self, data: bytes) -> None:
        if self._held:
            data = self._held + data
            self._held = b""
        if len(data) < 2 or len(data) < 2 + (data[0] << 8 | data[1]):
            self._held = data
            return
        self._run.latencies.append(time.perf_counter() - self._sent)
        bitmap = data[_FIRST : _FIRST + 8]
        at = _places.get(bitmap) or _place_of_code(bitmap)
        if data[at : at + 2] != b"00":
            self._run.others += 1
        self.send()

    def connection_lost(self, error: Exception | None) -> None:
        self._run.lost += 1
        self._run.finished()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class _Run:
    def __init__(self, frames: list[bytes], seconds: float) -> None:
        self._frames = frames
        self._seconds = seconds
        self._until = 0.0
        self._ending = 0
        self.latencies: list[float] = []
        self.others = 0
        self.lost = 0
        self.done = asyncio.Event()
        self.lines = 0

    def begin(self) -> None:
        self._until = time.perf_counter() + self._seconds

    def next_frame(self) -> bytes | None:
        if time.perf_counter() >= self._until or not self._frames:
            return None
        return self._frames.pop()

    def finished(self) -> None:
        self._ending += 1
        if self._ending >= self.lines:
            self.done.set()


def drive(host: str, port: int, frames: list[bytes], lines: int, seconds: float) -> Load:
    """Run `lines` lines for `seconds`; takes what it needs off the end of `frames`.

    Every request sent is waited for.
    """
    return uvloop.run(_drive(host, port, frames, lines, seconds))


async def _drive(host: str, port: int, frames: list[bytes], lines: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    run = _Run(frames, seconds)
    opened = [(await loop.create_connection(lambda: _Line(run), host, port))[1] for _ in range(lines)]
    run.lines = lines
    started = time.perf_counter()
    run.begin()
    for line in opened:
        line.send()
    async with asyncio.timeout(seconds + 30):
        await run.done.wait()
    taken = time.perf_counter() - started
    if run.lost:
        raise RuntimeError(f"{run.lost} lines were cut")
    if not frames:
        raise RuntimeError("the load ran out of frames")
    for line in opened:
        line.close()
    cuts = statistics.quantiles(run.latencies, n=100)
    return Load(len(run.latencies) / taken, cuts[49], cuts[98], len(run.latencies), run.others)
