"""One terminal's line: framing, limits, and what a hostile client cannot do (S4).

A length above the limit, a message that stays unfinished, an idle line, a reader that does not read its answers:
each ends the line, never the switch. When all places are taken, those who proved nothing make room first. A line with
too many requests under way is simply not read until answers have
gone out.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, cast

from sheka.foundation.iso8583.framing import split
from sheka.foundation.refusals import Refused

if TYPE_CHECKING:
    from sheka.systems.transactions.switch.settings import SwitchSettings

KERNEL_BUFFER = 64 * 1024
"""Answers that the kernel holds for one line: a reader that does not read shows itself soon."""
SPARE_FILES = 512
"""For the database, the machines, files, and connections that are turned away."""


def allow_files(lines: int) -> None:
    """Let the process open a file for each line, and some more, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = lines + SPARE_FILES if hard == resource.RLIM_INFINITY else min(lines + SPARE_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Lines:
    """Every open line. When there is no room, the oldest one that has proved nothing yet goes: who only connects bars
    nobody. `newcomers` are those, oldest first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: set[Endable] = set()
        self.newcomers: dict[Endable, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Endable]:
        return iter(self._open)

    def admit(self, line: Endable, *, proven: bool = False) -> bool:
        """Take a line in; False when all others have proved whose they are and there is no room."""
        if len(self._open) >= self._most:
            oldest = next(iter(self.newcomers), None)
            if oldest is None:
                return False
            self.discard(oldest)
            oldest.end()
        self._open.add(line)
        if not proven:
            self.newcomers[line] = None
        return True

    def discard(self, line: Endable) -> None:
        self._open.discard(line)
        self.newcomers.pop(line, None)

    def prove(self, line: Line) -> None:
        """A message with the right MAC came over it."""
        line.proven = True
        self.newcomers.pop(line, None)


class Endable(Protocol):
    """What the sweep and the end of the switch ask of a line, or of one whose handshake is under way."""

    def end(self) -> None: ...
    def stop_reading(self) -> None: ...
    def finish(self) -> None: ...
    def is_late(self, now: float) -> bool: ...


class Line(asyncio.Protocol):
    """`on_frame(line, frame)` is called for each message; `lines` holds every open line. `fingerprint`: of the
    certificate behind it, empty without TLS; `signed_on`: the institutions that are; `proven`: not just connected.
    """

    __slots__ = (
        "_buffer",
        "_ended",
        "_on_frame",
        "_paused",
        "_settings",
        "_transport",
        "fingerprint",
        "heard",
        "lines",
        "partial",
        "peer",
        "proven",
        "signed_on",
        "under_way",
    )

    def __init__(
        self, on_frame: Callable[[Line, bytes], None], lines: Lines, settings: SwitchSettings, fingerprint: str = ""
    ) -> None:
        self._on_frame = on_frame
        self._settings = settings
        self._buffer = bytearray()
        self._ended = False
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self.lines = lines
        self.heard = time.monotonic()
        self.partial = 0.0
        self.under_way = 0
        self.peer = ""
        self.fingerprint = fingerprint
        self.proven = bool(fingerprint)
        self.signed_on: frozenset[int] = frozenset()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self.lines.admit(self, proven=self.proven):
            self._transport.abort()
            return
        address = self._transport.get_extra_info("peername")
        self.peer = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else "inside"
        line = self._transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
        if self.peer != "inside":
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, error: Exception | None) -> None:
        self.lines.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return  # what had come already before the line ended is not worked off
        self.heard = time.monotonic()
        if not self._buffer and len(data) >= 2 and data[0] << 8 | data[1] == len(data) - 2 <= 2048:
            self.under_way += 1
            self._on_frame(self, data[2:])
        else:
            self._gather(data)
        if self.under_way >= self._settings.in_flight:
            self._pause()

    def send(self, frame: bytes) -> None:
        """Write an answer (with its length header) and count its request as done."""
        self.under_way -= 1
        transport = self._transport
        if transport is None:
            return
        transport.write(frame)
        if transport.get_write_buffer_size() > self._settings.unread:
            self.end()
        elif self._paused and self.under_way < self._settings.in_flight // 2:
            self._paused = False
            self.partial = time.monotonic()
            transport.resume_reading()

    def drop(self) -> None:
        """End the line now; answers under way are lost to it, not to the ledger."""
        self.under_way -= 1
        self.end()

    def end(self) -> None:
        self._ended = True
        if self._transport is not None:
            self._transport.abort()

    def stop_reading(self) -> None:
        """No new requests; answers still go out."""
        self._pause()
        self._paused = False  # and nothing resumes it

    def finish(self) -> None:
        """Close when everything written has been sent."""
        if self._transport is not None:
            self._transport.close()

    def is_late(self, now: float) -> bool:
        """Whether the line has been idle too long, or has kept a message unfinished too long."""
        if self._buffer and not self._paused and now - self.partial > self._settings.partial_message:
            return True
        begun = getattr(self._transport, "partial", 0.0)  # of a record under TLS
        if begun and not self._paused and now - begun > self._settings.partial_message:
            return True
        return not self.under_way and now - self.heard > self._settings.idle

    def _gather(self, data: bytes) -> None:
        if not self._buffer:
            self.partial = time.monotonic()
        self._buffer += data
        try:
            frames = split(self._buffer)
        except Refused:
            self.end()
            return
        if frames:
            self.partial = time.monotonic()
        self.under_way += len(frames)
        for frame in frames:
            if self._ended:
                return
            self._on_frame(self, frame)

    def _pause(self) -> None:
        if self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()
