"""The machine's address: `unix:/path` or `tcp:host:port` (H5)."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from sheka.foundation.refusals import Code, Refused

MAX_SOCKET_PATH = 99


@dataclass(frozen=True, slots=True)
class Address:
    """`kind` is "unix" (path) or "tcp" (host, port)."""

    kind: str
    path: Path
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address; `MACHINE_ADDRESS_BAD` when it is neither form, or a path of 100 bytes or more."""
        kind, _, rest = text.partition(":")
        if kind == "unix" and rest:
            if len(rest.encode()) > MAX_SOCKET_PATH:
                raise Refused(Code.MACHINE_ADDRESS_BAD, address=text, reason="path of 100 bytes or more")
            return cls("unix", Path(rest), "", 0)
        host, _, port = rest.rpartition(":")
        if kind == "tcp" and host and port.isascii() and port.isdecimal() and int(port) < 65536:
            return cls("tcp", Path(), host.strip("[]"), int(port))
        raise Refused(Code.MACHINE_ADDRESS_BAD, address=text, reason="neither unix:/path nor tcp:host:port")

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.kind == "unix" else f"tcp:{self.host}:{self.port}"

    def connect(self, timeout: float) -> socket.socket:
        """A connected blocking socket; `MACHINE_UNREACHABLE` when nobody answers."""
        try:
            if self.kind == "tcp":
                line = socket.create_connection((self.host, self.port), timeout)
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return line
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                line.settimeout(timeout)
                line.connect(str(self.path))
            except OSError:
                line.close()
                raise
            return line
        except OSError as error:
            raise unreachable(self, error) from None


def unreachable(address: Address | str, error: Exception) -> Refused:
    """The refusal for a line that failed."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Refused(Code.MACHINE_UNREACHABLE, address=str(address), reason=reason)
