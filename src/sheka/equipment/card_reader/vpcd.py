"""The card's side of vsmartcard's vpcd, the virtual reader of PC/SC (H4): every PC/SC program can read a virtual card.

The wire (virtualsmartcard, vpcd.c): messages with a 2-byte big-endian length, one at a time from the reader. One byte
is a control: 00 power off, 01 power on, 02 reset, 04 answer to reset; only 04 is answered. Anything else is a command
APDU. The reader asks for the answer to reset every 0.4 s to see whether the card is still there, also in the middle of
a session: so that answer must not touch the card.

Every receive sets TCP_QUICKACK first: vpcd sends length and body apart, and a delayed acknowledgement would hold each
command for 40 ms.

vpcd listens and the card connects. (Its reversed mode, where the card listens, is not used: in version 3.3 pcscd dies
when such a card is pulled out.)
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Self

from sheka.equipment.card_reader.reader import Chip
from sheka.foundation.refusals import Code, Refused

DEFAULT_PORT = 35963
"""The port of vpcd's first slot as Debian configures it (8C7B hex); the second slot is the next port."""

_OFF, _ON, _RESET, _ATR = 0, 1, 2, 4
_RETRY_SECONDS = 0.25
_STATUS_BYTES = 2


class ReaderLeft(Exception):
    """The reader closed the connection."""


class Conversation:
    """One connection between a reader and a chip; `run` returns when the reader leaves."""

    def __init__(self, chip: Chip, wire: socket.socket, seated: threading.Event) -> None:
        self._chip = chip
        self._wire = wire
        self._seated = seated
        self._atr = b""
        self._powered = False
        self._answered = False

    def run(self) -> None:
        """Serve until the reader leaves, the socket is shut or the chip refuses; the chip is powered down at the end.

        `seated` is set while the reader has the card: from the first message after an answer under power. A slot that
        another card holds also accepts a connection, but never powers this card up. The answer alone is too early:
        pcscd calls the slot empty until it has noted that answer, and asks again (0.4 s later) only after that.
        """
        try:
            while True:
                message = self._receive()
                if self._answered:
                    self._seated.set()
                self._serve(message)
        except (ReaderLeft, OSError, Refused):
            return
        finally:
            self._seated.clear()
            self._power_off()

    def _serve(self, message: bytes) -> None:
        if message == bytes([_ATR]):
            self._send(self._answer_to_reset())
        elif message == bytes([_ON]):
            self._power_on()
        elif message == bytes([_RESET]):
            self._power_off()
            self._power_on()
        elif message == bytes([_OFF]):
            self._power_off()
        elif message:
            if not self._powered:
                self._power_on()
            answer = self._chip.transmit(message)
            if len(answer) < _STATUS_BYTES:
                raise ReaderLeft
            self._send(answer)

    def _answer_to_reset(self) -> bytes:
        if not self._atr:
            self._power_on()
            self._power_off()
        if not self._atr:
            raise ReaderLeft
        return self._atr

    def _power_on(self) -> None:
        self._atr = self._chip.power_on()
        self._powered = bool(self._atr)

    def _power_off(self) -> None:
        if self._powered:
            self._chip.power_off()
            self._powered = False

    def _send(self, message: bytes) -> None:
        self._wire.sendall(struct.pack(">H", len(message)) + message)
        self._answered = self._answered or self._powered

    def _receive(self) -> bytes:
        (length,) = struct.unpack(">H", self._exactly(2))
        return self._exactly(length)

    def _exactly(self, length: int) -> bytes:
        received = bytearray()
        while len(received) < length:
            self._wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            part = self._wire.recv(length - len(received))
            if not part:
                raise ReaderLeft
            received += part
        return bytes(received)


class Inserted:
    """A chip that stays in a virtual reader until `remove`, served by a thread; reconnects when the reader restarts."""

    def __init__(self, chip: Chip, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._chip = chip
        self._removed = threading.Event()
        self._seated = threading.Event()
        self._lock = threading.Lock()
        self._wire: socket.socket | None = None
        self._thread = threading.Thread(target=self._stay, name=f"vpcd-card-{port}", daemon=True)

    def start(self) -> Self:
        """Begin to serve; returns at once."""
        self._thread.start()
        return self

    def wait_until_seated(self, seconds: float) -> bool:
        """Wait until the reader has taken the card and powered it up; False when it did not in time."""
        return self._seated.wait(seconds)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the card is removed (by another thread); False when the time ran out first."""
        return self._removed.wait(seconds)

    def remove(self) -> None:
        """Pull the card out and end the thread. A second call changes nothing."""
        self._removed.set()
        with self._lock:
            if self._wire is not None:
                with contextlib.suppress(OSError):
                    self._wire.shutdown(socket.SHUT_RDWR)
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def _stay(self) -> None:
        while not self._removed.is_set():
            with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=2) as wire:
                wire.settimeout(None)
                wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._take(wire):
                    Conversation(self._chip, wire, self._seated).run()
                with self._lock:
                    self._wire = None
            self._removed.wait(_RETRY_SECONDS)

    def _take(self, wire: socket.socket) -> bool:
        with self._lock:
            if not self._removed.is_set():
                self._wire = wire
            return self._wire is not None


def insert(chip: Chip, host: str = "127.0.0.1", port: int = DEFAULT_PORT, *, seconds: float = 5.0) -> Inserted:
    """Put a chip into the virtual reader that listens at `host:port` and keep it there until `remove`.

    Raises Refused(VPCD_UNREACHABLE) when no reader has taken the card within `seconds`: nothing listens there, or
    another card is in that slot; the chip's own refusal when its memory cannot be used (CHIP_STORAGE_IN_USE). A chip
    that is dead is put in all the same, and the reader sees an empty slot.
    """
    alive = bool(chip.power_on())
    chip.power_off()
    inserted = Inserted(chip, host, port).start()
    if alive and not inserted.wait_until_seated(seconds):
        inserted.remove()
        raise Refused(Code.VPCD_UNREACHABLE, host=host, port=port, seconds=seconds)
    return inserted
