"""Machines to test against: started once a run, reached over every kind of line, with keys whose value the test
knows.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.custodians import Local
from tests.support.softhsm import make_token

from sheka.equipment.encryption_machine.aclient import AsyncEncryptionMachine
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.envelopes import seal_envelope
from sheka.equipment.encryption_machine.launch import MachineHandle, start_machine
from sheka.equipment.encryption_machine.machine import SoftwareMachine
from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.equipment.encryption_machine.rights import Caller, Rights
from sheka.foundation.crypto import sm2
from sheka.foundation.crypto.algorithms import Algorithm

CALLER = "tester"
SECRET = bytes(range(32))
_numbers = itertools.count()


def fresh_name(prefix: str = "K") -> str:
    """A key name that no other test of this run uses."""
    return f"{prefix}-{os.getpid()}-{next(_numbers)}"


@dataclass
class Known:
    """A key in the machine whose value the test knows."""

    ref: str
    key: bytes
    info: KeyInfo


class Asyncio:
    """The asyncio client behind blocking calls, so that one set of tests proves both clients."""

    def __init__(self, address: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._machine = AsyncEncryptionMachine(address, CALLER, SECRET)

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._machine, name)
        return lambda *given, **named: asyncio.run_coroutine_threadsafe(verb(*given, **named), self._loop).result(60)

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._machine.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture(scope="session")
def unix_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MachineHandle]:
    handle = start_machine(tmp_path_factory.mktemp("unix"), callers={CALLER: SECRET})
    yield handle
    assert handle.stop() == 0


@pytest.fixture(scope="session")
def tcp_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MachineHandle]:
    handle = start_machine(tmp_path_factory.mktemp("tcp"), callers={CALLER: SECRET}, address="tcp:127.0.0.1:0")
    yield handle
    assert handle.stop() == 0


@pytest.fixture(scope="session")
def pkcs11_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MachineHandle]:
    folder = tmp_path_factory.mktemp("pkcs11")
    token = make_token(folder / "token")
    handle = start_machine(folder / "machine", callers={CALLER: SECRET}, pkcs11=token.settings)
    yield handle
    assert handle.stop() == 0


DRIVERS = ("software-unix", "software-tcp", "software-asyncio", "pkcs11")
"""The machines that must conform; another driver adds its name here and its start to `machine`."""

PROCESSES = {"software-unix": "unix_process", "software-tcp": "tcp_process", "pkcs11": "pkcs11_process"}


def algorithms_of(driver: str) -> list[Algorithm]:
    """What a driver must have: SoftHSM2 knows no SM4 (a test asserts its refusal)."""
    return [Algorithm.TDES] if driver == "pkcs11" else list(Algorithm)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of `machine` runs for every machine; one that takes an `algorithm` too, with each that the machine has."""
    if "machine" not in metafunc.fixturenames:
        return
    if "algorithm" in metafunc.fixturenames:
        pairs = [(driver, algorithm) for driver in DRIVERS for algorithm in algorithms_of(driver)]
        ids = [f"{driver}-{algorithm.name}" for driver, algorithm in pairs]
        metafunc.parametrize(("machine", "algorithm"), pairs, indirect=["machine"], ids=ids)
    else:
        metafunc.parametrize("machine", DRIVERS, indirect=True)


@pytest.fixture
def working(machine: Any) -> Algorithm:
    """An algorithm that the machine has, for tests of one key: SM4 where it can."""
    return Algorithm[machine.describe().algorithms[-1]]


@pytest.fixture(scope="session")
def machine(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client with every right on a running machine; the verbs of `EncryptionMachine`."""
    handle: MachineHandle
    if request.param == "software-asyncio":
        handle = request.getfixturevalue("unix_process")
        client = Asyncio(handle.address)
        yield client
        client.end()
        return
    handle = request.getfixturevalue(PROCESSES[request.param])
    with handle.client(CALLER) as blocking:
        yield blocking


@pytest.fixture(scope="session")
def unix(unix_process: MachineHandle) -> Iterator[EncryptionMachine]:
    with unix_process.client(CALLER) as client:
        yield client


@pytest.fixture(scope="session")
def chip_maker() -> bytes:
    """The private key of a party without a machine, registered as a peer where `plant` is used."""
    return sm2.generate_private()


Plant = Callable[..., Known]


@pytest.fixture(scope="session")
def plant(chip_maker: bytes) -> Plant:
    """plant(machine, algorithm, usage, diversified=…, key=…): put a known key into a machine, by an envelope."""
    public = sm2.public_of(chip_maker)

    def put(
        machine: Any,
        algorithm: Algorithm,
        usage: Usage,
        *,
        diversified: bool = False,
        key: bytes = b"",
        owner: str = "",
    ) -> Known:
        if all(bytes.fromhex(peer.public_key) != public for peer in machine.peers()):
            machine.register_peer(fresh_name("maker"), public)
        value = key or secrets.token_bytes(16)
        info = KeyInfo("", fresh_name(), algorithm, usage, 1, owner, "", diversified=diversified)
        envelope = seal_envelope(chip_maker, machine.public_key(), value, info)
        found = machine.import_envelope(envelope, public)
        return Known(found.ref, value, found)

    return put


@pytest.fixture
def name() -> str:
    return fresh_name()


@pytest.fixture
def everyone() -> Caller:
    """A caller with every right, for tests that need no process."""
    return Caller("tester", Rights.everything())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Callable[[], SoftwareMachine]]:
    """Open (again and again) the machine of one folder in this process; each opening closes the one before."""
    opened: list[SoftwareMachine] = []

    def close() -> None:
        while opened:
            opened.pop().close()

    def reopen(secret: bytes = b"s" * 32) -> SoftwareMachine:
        close()
        opened.append(SoftwareMachine(tmp_path / "store", secret))
        return opened[-1]

    yield reopen
    close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Callable[..., Local]]:
    """local(secret, place): a machine of this process with the custodians' verbs."""
    made: list[Local] = []

    def make(secret: bytes | None = None, place: str = "a") -> Local:
        made.append(Local(tmp_path / place, secret))
        return made[-1]

    yield make
    for one in made:
        one.machine.close()
