"""The card: time of a command in this process and through a real pcscd, and how many cards a minute are made."""

from __future__ import annotations

import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure
from sheka.equipment.card_reader import vpcd
from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.pcsc import PcscReader
from sheka.equipment.card_reader.reader import Reader, powered
from sheka.equipment.card_reader.service import PcscService, free_port_pair
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.initialisation.drawer import ChipDrawer
from sheka.equipment.initialisation.machine_keys import MachineKeys
from sheka.equipment.initialisation.order import ChipOrder, historical_bytes
from sheka.equipment.initialisation.station import produce
from sheka.foundation.chip.declarations import Purpose
from sheka.foundation.chip.holder import HolderData
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.chip.sample import SampleKeys, sample_card, sample_holder
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.numbers import CardIdentificationCode, card_number

REGION = "460100"
SELECT = [bytes.fromhex(apdu) for apdu in ("00A404000F7378312E73682EC9E7BBE1B1A3D5CF", "00A4000002EF05")]
READ_CARD_NUMBER = bytes.fromhex("00B207040B")
_MAC_PURPOSES = {Purpose.MAC, Purpose.PURCHASE, Purpose.TAC, Purpose.LOAD, Purpose.AMOUNT}


def run(long: bool = False) -> list[Figure]:
    """All figures; about 10 s, `long` ten times the rounds."""
    factor = 10 if long else 1
    with tempfile.TemporaryDirectory(prefix="sheka-bench-") as folder:
        return [
            in_process(2000 * factor),
            pcsc(Path(folder), 2000 * factor),
            personalisation(Path(folder), 50 * factor),
        ]


def in_process(rounds: int) -> Figure:
    """One READ RECORD on a virtual card in this process."""
    times = _times(InProcessReader(sample_card()), rounds)
    return Figure("apdu.in_process_us", statistics.median(times) * 1e6, "us", detail=f"READ RECORD, median of {rounds}")


def pcsc(folder: Path, rounds: int) -> Figure:
    """The same through pcscd, its vpcd driver and two loopback messages each way."""
    port = free_port_pair()
    with PcscService(folder, port), vpcd.insert(sample_card(), port=port):
        times = _times(PcscReader(0), rounds)
    slow = statistics.quantiles(times, n=100)[98] * 1e3
    detail = f"READ RECORD through pcscd, median of {rounds}; 99 of 100 below {slow:.3g} ms"
    return Figure("apdu.pcsc_ms", statistics.median(times) * 1e3, "ms", detail=detail)


def personalisation(folder: Path, cards: int) -> Figure:
    """Whole cards, one after another: keys by the machine's process, read back, ended, read back anew, accepted."""
    with _line(folder, cards) as line:
        began = time.perf_counter()
        for order in line.orders:
            produce(line.drawer, order, line.keys(order))
        seconds = time.perf_counter() - began
    detail = f"{cards} SM4 cards in {seconds:.2f} s, in process, with the encryption machine's process, cards synced"
    return Figure("personalise.cards_per_minute", cards / seconds * 60, "cards/min", detail=detail)


def _times(reader: Reader, rounds: int) -> list[float]:
    with powered(reader):
        for apdu in SELECT:
            reader.transmit(apdu)
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            answer = reader.transmit(READ_CARD_NUMBER)
            times.append(time.perf_counter() - began)
            if answer[-2:] != b"\x90\x00":
                raise RuntimeError(f"the card answered {answer.hex()}")
    return times


@dataclass(frozen=True)
class _Line:
    """A production line: drawer with blank chips, orders, and the keys of each order."""

    drawer: ChipDrawer
    orders: list[ChipOrder]
    keys: Callable[[ChipOrder], MachineKeys]


@contextmanager
def _line(folder: Path, cards: int) -> Iterator[_Line]:
    profile = load_profile()
    drawer = ChipDrawer(folder / "chips")
    drawer.manufacture(cards, Algorithm.SM4)
    handle = start_machine(folder / "machine", callers={"bench": secrets.token_bytes(32)})
    try:
        with handle.client("bench") as machine:
            transport = _take_transport_key(machine, drawer)
            references = _city_keys(machine)
            irk = references["IRK", 1]
            orders = [_order(machine, irk, serial) for serial in range(1, cards + 1)]
            yield _Line(
                drawer, orders, lambda order: MachineKeys(machine, references, order.factor(profile), transport)
            )
    finally:
        handle.stop()


def _take_transport_key(machine: EncryptionMachine, drawer: ChipDrawer) -> str:
    maker = drawer.maker
    machine.register_peer(maker.name, maker.public_key, maker.name)
    envelope = maker.envelope(Algorithm.SM4, machine.public_key())
    return machine.import_envelope(envelope, maker.public_key).ref


def _city_keys(machine: EncryptionMachine) -> dict[tuple[str, int], str]:
    profile = load_profile()
    references = {}
    for key in profile.keys:
        root = machine.generate(key.name, Algorithm.SM4, Usage.DIVERSIFY, owner="000000")
        usage = Usage.MAC if key.purpose in _MAC_PURPOSES else Usage.AUTHENTICATE
        city = machine.derive(root.ref, profile.region_factor(REGION), owner=REGION, usage=usage)
        references[key.name, 1] = city.ref
    return references


def _order(machine: EncryptionMachine, irk: str, serial: int) -> ChipOrder:
    profile = load_profile()
    first12 = CardIdentificationCode.part_to_sign(REGION, serial)
    historical = historical_bytes(profile, REGION, first12[8:])
    code = machine.card_authentication_codes(irk, [profile.card_factor(historical)], [first12])[0]
    sample = sample_holder(profile, SampleKeys(Algorithm.SM4), version="3.00")
    issuer = sample.files["SSSE/EF05"]
    if not isinstance(issuer, dict):
        raise TypeError("SSSE/EF05")
    issuer = {
        **issuer,
        "identification_code": CardIdentificationCode.make(REGION, serial, code).text,
        "card_number": card_number(f"H{serial:07d}").text,
    }
    return ChipOrder(HolderData(historical, {**sample.files, "SSSE/EF05": issuer}), Algorithm.SM4)
