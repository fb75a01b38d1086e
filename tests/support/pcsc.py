"""A real PC/SC service with a virtual reader for the tests that need one; only one runs on a machine at a time."""

from __future__ import annotations

import fcntl
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sheka.equipment.card_reader.service import PcscService


def free_port_pair() -> int:
    """A port that is free together with the next one: vpcd's two slots."""
    for _ in range(100):
        with ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("", 0))
            port: int = first.getsockname()[1]
            second = stack.enter_context(socket.socket())
            try:
                second.bind(("", port + 1))
            except OSError:
                continue
            return port
    raise OSError("no two free ports beside each other")


@pytest.fixture
def pcsc_port(tmp_path: Path) -> Iterator[int]:
    """The port at which the virtual reader 0 of a running pcscd takes cards. Other workers wait for their turn."""
    with (Path(tempfile.gettempdir()) / "sheka-tests-pcscd.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        port = free_port_pair()
        with PcscService(tmp_path, port):
            yield port
