"""A real PC/SC service with a virtual reader for the tests that need one; only one runs on a machine at a time."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sheka.equipment.card_reader.service import PcscService, free_port_pair


@pytest.fixture
def pcsc_turn() -> Iterator[None]:
    """The turn to run a PC/SC service; other workers of the run wait for theirs."""
    with (Path(tempfile.gettempdir()) / "sheka-tests-pcscd.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def pcsc_port(pcsc_turn: None, tmp_path: Path) -> Iterator[int]:
    """The port at which the virtual reader 0 of a running pcscd takes cards."""
    port = free_port_pair()
    with PcscService(tmp_path, port):
        yield port
