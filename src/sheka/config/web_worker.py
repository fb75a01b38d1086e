"""gunicorn's worker with threads, and a clock on every client: whoever sends slowly is cut, others are served (H1).

gunicorn waits for the first byte of a request beside its threads, but reads the rest in one of them, for as long as the
client takes. Sixteen clients that send a byte a minute would stop the console for everybody.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

GRACE_SECONDS = 10.0
SLOWEST_BYTES = 32 * 1024
"""A request has ten seconds, and one more for every 32 KiB that came; an answer thirty to be taken."""
SEND_SECONDS = 30.0


class TimedSocket:
    """A connection whose requests must come in time; everything else is the socket's own."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self.begin()

    def begin(self) -> None:
        """A request begins: its clock starts."""
        self._since, self._taken = time.monotonic(), 0

    def recv(self, size: int, *flags: int) -> bytes:
        """Raises ConnectionResetError when the client is too slow."""
        left = self._since + GRACE_SECONDS + self._taken / SLOWEST_BYTES - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            self._inner.settimeout(left)
            data = self._inner.recv(size, *flags)
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from None
        self._taken += len(data)
        return data

    def sendall(self, data: bytes, *flags: int) -> None:
        """Raises ConnectionResetError when the client does not take it."""
        self._inner.settimeout(SEND_SECONDS)
        try:
            self._inner.sendall(data, *flags)
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """As gunicorn's, each request with its clock."""

    def handle(self, conn: TConn) -> Any:
        """In a thread of the pool."""
        if not isinstance(conn.sock, TimedSocket):
            conn.sock = TimedSocket(conn.sock)
        conn.sock.begin()
        return super().handle(conn)
