"""A city with its encryption machine (a process of its own), its keys, and a drawer of blank chips."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.initialisation.drawer import ChipDrawer
from sheka.equipment.initialisation.machine_keys import MachineKeys
from sheka.equipment.initialisation.order import ChipOrder, historical_bytes
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.declarations import Purpose
from sheka.foundation.chip.holder import HolderData
from sheka.foundation.chip.profile import CardProfile, load_profile
from sheka.foundation.chip.sample import SampleKeys, sample_holder
from sheka.foundation.chip.storage import MemoryStorage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.numbers import CardIdentificationCode, card_number

REGION = "460100"
_MAC_PURPOSES = {Purpose.MAC, Purpose.PURCHASE, Purpose.TAC, Purpose.LOAD, Purpose.AMOUNT}


@dataclass
class City:
    """What the issuing city has: its machine, the references of its last-level keys, the transport keys, a drawer."""

    machine: EncryptionMachine
    drawer: ChipDrawer
    profile: CardProfile
    references: dict[Algorithm, dict[tuple[str, int], str]] = field(default_factory=dict)
    transport: dict[Algorithm, str] = field(default_factory=dict)
    last: int = 0

    def order(
        self,
        algorithm: Algorithm = Algorithm.SM4,
        version: str = "2.00",
        everything: bool = False,
        serial: int | None = None,
    ) -> ChipOrder:
        """An order for the next card of an invented person, numbered and signed as issuance does it."""
        self.last += 1
        number = self.last if serial is None else serial
        first12 = CardIdentificationCode.part_to_sign(REGION, number)
        historical = historical_bytes(self.profile, REGION, first12[8:])
        irk = self.references[algorithm]["IRK", 1]
        code = self.machine.card_authentication_codes(irk, [self.profile.card_factor(historical)], [first12])[0]
        sample = sample_holder(self.profile, SampleKeys(algorithm), version=version, everything=everything)
        issuer = {
            **dict(sample.files["SSSE/EF05"]),  # type: ignore[arg-type]
            "identification_code": CardIdentificationCode.make(REGION, number, code).text,
            "card_number": card_number(f"H{number:07d}").text,
        }
        return ChipOrder(HolderData(historical, {**sample.files, "SSSE/EF05": issuer}), algorithm)

    def keys(self, order: ChipOrder) -> MachineKeys:
        return MachineKeys(
            self.machine,
            self.references[order.algorithm],
            order.factor(self.profile),
            self.transport[order.algorithm],
        )


def _city_keys(machine: EncryptionMachine, profile: CardProfile, algorithm: Algorithm) -> dict[tuple[str, int], str]:
    references = {}
    for key in profile.keys:
        usage = Usage.MAC if key.purpose in _MAC_PURPOSES else Usage.AUTHENTICATE
        root = machine.generate(f"{key.name}-{algorithm.name}", algorithm, Usage.DIVERSIFY, owner="000000")
        city = machine.derive(root.ref, profile.region_factor(REGION), owner=REGION, usage=usage)
        references[key.name, 1] = city.ref
    return references


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EncryptionMachine]:
    secret = secrets.token_bytes(32)
    handle = start_machine(tmp_path_factory.mktemp("machine"), callers={"issuer": secret})
    try:
        with handle.client("issuer") as client:
            yield client
    finally:
        handle.stop()


@pytest.fixture(scope="session")
def city(machine: EncryptionMachine, tmp_path_factory: pytest.TempPathFactory) -> City:
    profile = load_profile()
    drawer = ChipDrawer(tmp_path_factory.mktemp("drawer") / "chips", sync=False)
    found = City(machine, drawer, profile)
    maker = drawer.maker
    machine.register_peer(maker.name, maker.public_key, maker.name)
    for algorithm in Algorithm:
        envelope = maker.envelope(algorithm, machine.public_key())
        taken = machine.import_envelope(envelope, maker.public_key, name=maker.key_name(algorithm), owner=maker.name)
        assert taken.check_value == maker.check_value(algorithm)
        found.transport[algorithm] = taken.ref
        found.references[algorithm] = _city_keys(machine, profile, algorithm)
    return found


@pytest.fixture
def new_drawer(tmp_path: Path) -> Callable[[], ChipDrawer]:
    """A drawer with a maker of its own, of whom no machine knows."""
    return lambda: ChipDrawer(tmp_path / "other", sync=False)


@pytest.fixture
def blank_chip(city: City) -> Callable[..., VirtualCard]:
    """Makes blank chips of the city's maker in memory; they stay as they are when powered down."""

    def make(algorithm: Algorithm = Algorithm.SM4) -> VirtualCard:
        serial = city.drawer.maker.next_serials(1)[0]
        return VirtualCard.manufacture(
            MemoryStorage(),
            city.profile,
            algorithm=algorithm,
            chip_serial=serial,
            transport_key=city.drawer.maker.transport_key(algorithm, serial),
        )

    return make


class CutReader(InProcessReader):
    """The power fails before command number `cut` of the conversation, counted from 0."""

    def __init__(self, card: VirtualCard, cut: int) -> None:
        super().__init__(card, "cut")
        self._left = cut

    def transmit(self, apdu: bytes) -> bytes:
        if self._left == 0:
            self.disconnect()
        self._left -= 1
        return super().transmit(apdu)


@pytest.fixture
def cut_reader() -> Callable[[VirtualCard, int], InProcessReader]:
    return CutReader
