"""A PSAM and a key carrier card whose keys the tests know, and the other side of their conversations."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sheka.foundation.chip.apdu import Command, Response
from sheka.foundation.chip.authentication import (
    external_cryptogram,
    external_data,
    initial_value,
    wrap_key_for_chip,
)
from sheka.foundation.chip.devices.carrier import VirtualKeyCarrier
from sheka.foundation.chip.devices.carrier_state import ALGORITHM
from sheka.foundation.chip.devices.profile import CarrierProfile, DeviceKind, Level, carrier_profile, psam_profile
from sheka.foundation.chip.devices.psam import VirtualPsam
from sheka.foundation.chip.secure_messaging import mac_message, pin_block
from sheka.foundation.chip.steps import exchange
from sheka.foundation.chip.storage import MemoryStorage, Storage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.ciphers import encrypt_ecb
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.crypto.sm3 import sm3

TERMINAL = bytes.fromhex("460100000001")
PIN = "258036"


def secret(name: str) -> bytes:
    """A key that anybody can compute: 16 bytes."""
    return sm3(f"sheka device {name}".encode())[:16]


class PsamBench:
    """A PSAM in a reader whose owner knows its keys."""

    def __init__(self, storage: Storage) -> None:
        self.profile = psam_profile()
        self.transport = {algorithm: secret(f"KT {algorithm.name}") for algorithm in Algorithm}
        self.chip = VirtualPsam.manufacture(
            storage, serial=self.profile.serial(1), transport_keys=self.transport, profile=self.profile
        )
        self.atr = self.chip.power_on()

    def raw(self, apdu: str | bytes) -> Response:
        return Response.parse(self.chip.transmit(bytes.fromhex(apdu) if isinstance(apdu, str) else apdu))

    def sw(self, apdu: str | bytes) -> str:
        return f"{self.raw(apdu).status:04X}"

    def ask(self, name: str, data: bytes = b"", p1: int = 0, p2: int = 0, le: int | None = None) -> Response:
        """One of the profile's commands with its whole answer."""
        cla, ins = self.profile.instructions[name]
        return exchange(self.chip.transmit, Command(cla, ins, p1, p2, data, le))

    def status(self, name: str, data: bytes = b"", p1: int = 0, p2: int = 0) -> str:
        return f"{self.ask(name, data, p1, p2).status:04X}"

    def open_loading(self, algorithm: Algorithm, key: bytes | None = None) -> tuple[str, bytes]:
        """(status, challenge) of the transport key's authentication."""
        challenge = self.raw("0084000008").data
        value = self.transport[algorithm] if key is None else key
        data = external_data(external_cryptogram(algorithm, value, challenge), challenge)
        return self.sw(Command(0, 0x82, 0, self.profile.transport[algorithm], data).to_bytes()), challenge

    def wrapped(self, name: str, level: int, version: int, algorithm: Algorithm, challenge: bytes) -> bytes:
        """WRITE KEY data of a key of the tests."""
        key_id = self.profile.key(name).key_id
        value = secret(f"{name} {version} {algorithm.name}")
        return wrap_key_for_chip(algorithm, self.transport[algorithm], challenge, key_id, level << 4 | version, value)

    def load(self, name: str, level: Level, algorithm: Algorithm, version: int = 1) -> bytes:
        """Write a key of the tests; its value."""
        status, challenge = self.open_loading(algorithm)
        assert status == "9000"
        assert self.status("write_key", self.wrapped(name, level, version, algorithm, challenge)) == "9000"
        return secret(f"{name} {version} {algorithm.name}")

    def bind(self) -> None:
        self.open_loading(Algorithm.SM4)
        assert self.status("set_terminal", TERMINAL) == "9000"

    def deliver(self, name: str, factors: list[bytes], algorithm: Algorithm, version: int = 0) -> str:
        p1, p2 = self.profile.key(name).key_id, algorithm << 4 | version
        return self.status("delivery_key", b"".join(factors), p1, p2)


class CarrierBench:
    """A key carrier card in a reader whose owner knows its keys."""

    def __init__(self, storage: Storage, profile: CarrierProfile) -> None:
        self.profile = profile
        self.messaging, self.pin_key = secret("KM"), secret("KP")
        self.chip = VirtualKeyCarrier.manufacture(
            storage, profile, serial=profile.serial(1), messaging_key=self.messaging, pin_key=self.pin_key
        )
        self.chip.power_on()

    def raw(self, apdu: str | bytes) -> Response:
        return Response.parse(self.chip.transmit(bytes.fromhex(apdu) if isinstance(apdu, str) else apdu))

    def sw(self, apdu: str | bytes) -> str:
        return f"{self.raw(apdu).status:04X}"

    def challenge(self) -> bytes:
        return self.raw("0084000008").data

    def enciphered(self, pin: str, challenge: bytes) -> bytes:
        start = initial_value(ALGORITHM, challenge)
        block = pin_block(ALGORITHM, bytes.fromhex(pin))
        return encrypt_ecb(ALGORITHM, self.pin_key, bytes(a ^ b for a, b in zip(block, start, strict=True)))

    def secured(
        self, name: str, data: bytes = b"", p1: int = 0, p2: int = 0, *, challenge: bytes = b"", key: bytes = b""
    ) -> bytes:
        """The APDU of a command with its MAC."""
        challenge = challenge or self.challenge()
        cla, ins = self.profile.instructions[name]
        message = mac_message(bytes((cla, ins, p1, p2)), data)
        mac = command_mac(ALGORITHM, key or self.messaging, message, initial_value(ALGORITHM, challenge))
        return Command(cla, ins, p1, p2, data + mac).to_bytes()

    def do(self, name: str, data: bytes = b"", p1: int = 0, p2: int = 0) -> str:
        return self.sw(self.secured(name, data, p1, p2))

    def verify(self, pin: str = PIN) -> str:
        challenge = self.challenge()
        return self.sw(self.secured("verify", self.enciphered(pin, challenge), challenge=challenge))

    def change(self, old: str, new: str) -> str:
        challenge = self.challenge()
        data = self.enciphered(old, challenge) + self.enciphered(new, challenge)
        return self.sw(self.secured("change_pin", data, challenge=challenge))

    def use(self) -> None:
        """Change the initial PIN and verify the new one."""
        assert self.change(self.profile.pin.initial, PIN) == "9000"
        assert self.verify() == "9000"


@pytest.fixture(params=list(Algorithm), ids=lambda algorithm: algorithm.name)
def algorithm(request: pytest.FixtureRequest) -> Algorithm:
    found: Algorithm = request.param
    return found


@pytest.fixture
def psam_in() -> Callable[[Storage], PsamBench]:
    """Makes a PSAM in a storage."""
    return PsamBench


@pytest.fixture
def psam() -> PsamBench:
    return PsamBench(MemoryStorage())


@pytest.fixture
def carrier_in() -> Callable[[Storage], CarrierBench]:
    """Makes a transmission key card in a storage."""
    return lambda storage: CarrierBench(storage, carrier_profile(DeviceKind.TRANSMISSION_KEY_CARD))


@pytest.fixture
def carrier(carrier_in: Callable[[Storage], CarrierBench]) -> CarrierBench:
    return carrier_in(MemoryStorage())
