"""TCP ports (H1): is one free, does somebody answer there. Loopback by default."""

from __future__ import annotations

import errno
import socket

from sheka.foundation.refusals import Code, Refused


def require_free(host: str, port: int, process: str) -> None:
    """Raise Refused(SERVER_PORT_IN_USE) when another program listens on `host`:`port`, SERVER_ADDRESS when we may not
    listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            code = Code.SERVER_PORT_IN_USE if error.errno == errno.EADDRINUSE else Code.SERVER_ADDRESS
            raise Refused(code, host=host, port=port, process=process, reason=error.strerror) from None


def answers(host: str, port: int, *, seconds: float = 0.2) -> bool:
    """Whether a TCP connection to `host`:`port` succeeds within `seconds`."""
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return True
    except OSError:
        return False


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
