"""The server's patience and its last resorts (H5): idle callers stay, half a frame does not, a fault is one refusal."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sheka.equipment.encryption_machine import server
from sheka.equipment.encryption_machine.addresses import Address
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.frames import FrameReader, frame
from sheka.equipment.encryption_machine.handshake import greet
from sheka.equipment.encryption_machine.machine import SoftwareMachine
from sheka.equipment.encryption_machine.model import Verb
from sheka.equipment.encryption_machine.rights import Caller, Rights
from sheka.equipment.encryption_machine.server import Account, Server
from sheka.foundation.refusals import Code, Refused

SECRET = b"the caller's secret of 32 bytes."
ACCOUNTS = {"tester": Account(SECRET, Rights.everything())}


class Faulty:
    """A driver with a fault in one verb."""

    def __init__(self, machine: SoftwareMachine) -> None:
        self.machine = machine
        self.refused_logins = 0

    def call(self, caller: Caller, verb: Verb, arguments: list[Any]) -> Any:
        if verb is Verb.PEERS:
            raise ZeroDivisionError("key material must not be told")
        if verb is Verb.SIGN:
            return bytes(17 * 2**20)
        return self.machine.call(caller, verb, arguments)

    def close(self) -> None:
        self.machine.close()


@contextmanager
def serving(tmp_path: Path, wrap: Callable[[SoftwareMachine], Any]) -> Iterator[Server]:
    machine = SoftwareMachine(tmp_path / "store", b"s" * 32)
    running = Server(wrap(machine), Address.parse(f"unix:{tmp_path}/machine.sock"), ACCOUNTS)
    thread = threading.Thread(target=running.serve)
    thread.start()
    try:
        yield running
    finally:
        for _ in range(3):
            running.stop()  # more than once does no harm
        thread.join(10)
        running.stop()
        machine.close()
    assert not thread.is_alive()


def test_an_idle_caller_stays_and_half_a_frame_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "FRAME_SECONDS", 0.2)
    with (
        serving(tmp_path, lambda machine: machine) as running,
        EncryptionMachine(str(running.address), "tester", SECRET) as idle,
    ):
        first, line_of_idle = idle.describe(), idle._line
        with running.address.connect(10) as line:
            reader, steps = FrameReader(line.recv), greet(running.address, "tester", SECRET)
            line.sendall(frame(next(steps)))
            line.sendall(frame(steps.send(reader.read() or b"")))
            assert reader.read()
            line.sendall(b"\0\0\0\x20half")
            assert reader.read() is None
        assert idle.describe() == first
        assert idle._line is line_of_idle


def test_a_fault_inside_is_a_numbered_refusal_and_the_line_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path, Faulty) as running, EncryptionMachine(str(running.address), "tester", SECRET) as machine:
        with pytest.raises(Refused) as refusal:
            machine.peers()
        assert refusal.value.code is Code.MACHINE_FAULT
        assert "must not be told" not in str(refusal.value)
        with pytest.raises(Refused) as long:
            machine.sign(b"x")
        assert long.value.code is Code.MACHINE_FRAME_TOO_LONG
        assert machine.describe().keys == 0
    told = capfd.readouterr().err
    assert str(refusal.value.facts["incident"]) in told
    assert "ZeroDivisionError" in told


def test_a_server_ends_with_the_pipe_that_it_watches(tmp_path: Path) -> None:
    machine = SoftwareMachine(tmp_path / "store", b"s" * 32)
    running = Server(machine, Address.parse("tcp:127.0.0.1:0"), ACCOUNTS)
    ours, theirs = os.pipe()
    thread = threading.Thread(target=running.serve, args=(ours,))
    thread.start()
    os.write(theirs, b"not the end\n")
    with EncryptionMachine(str(running.address), "tester", SECRET) as client:
        assert client.describe()
    os.close(theirs)
    thread.join(10)
    assert not thread.is_alive()
    os.close(ours)
    machine.close()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", running.address.port), 1):
        pass


def test_a_closed_machine_seals_nothing_more(tmp_path: Path) -> None:
    """A request that outlives the stop would seal under root keys that were just overwritten."""
    machine = SoftwareMachine(tmp_path / "store", b"s" * 32)
    caller = Caller("tester", Rights.everything())
    machine.close()
    machine.close()
    for verb, arguments in (
        (Verb.GENERATE, ["key", 3, "MAC", 1, "", 0]),
        (Verb.REGISTER_PEER, ["peer", bytes(65), ""]),
    ):
        with pytest.raises(Refused) as refusal:
            machine.call(caller, verb, arguments)
        assert refusal.value.code is Code.MACHINE_STOPPING
    assert len(list((tmp_path / "store" / "records").iterdir())) == 1
