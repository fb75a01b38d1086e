"""A thing with a carrier's ATR that answers as it likes gives nothing and harms nobody (K5)."""

from __future__ import annotations

import pytest

from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.key_carrier import CarriedKey, KeyCarrierSession
from sheka.foundation.chip.devices.carrier import VirtualKeyCarrier
from sheka.foundation.chip.devices.carrier_state import ALGORITHM
from sheka.foundation.chip.devices.device import device_factor
from sheka.foundation.chip.devices.profile import DeviceKind, carrier_profile
from sheka.foundation.chip.storage import MemoryStorage
from sheka.foundation.crypto.ciphers import encrypt_ecb
from sheka.foundation.crypto.diversify import diversify
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.refusals import Code, Refused

PIN = "258036"
MASTER = bytes(range(16))


class OpenKeys:
    """The machine's side with a master key that the test knows."""

    def mac(self, factor: bytes, message: bytes, iv: bytes) -> bytes:
        return command_mac(ALGORITHM, diversify(ALGORITHM, MASTER, factor), message, iv)

    def enciphered_pin(self, factor: bytes, block: bytes) -> bytes:
        return encrypt_ecb(ALGORITHM, diversify(ALGORITHM, MASTER, factor), block)


@pytest.fixture
def memory() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def chip(memory: MemoryStorage) -> VirtualKeyCarrier:
    """A transmission key card with one thing on it."""
    profile = carrier_profile(DeviceKind.TRANSMISSION_KEY_CARD)
    serial = profile.serial(7)
    own = diversify(ALGORITHM, MASTER, device_factor(serial))
    made = VirtualKeyCarrier.manufacture(memory, profile, serial=serial, messaging_key=own, pin_key=own)
    with KeyCarrierSession(InProcessReader(made), OpenKeys()) as session:
        session.change_pin("000000", PIN)
        session.authenticate(PIN)
        session.write_envelopes([b"sealed"], "way", contents=[CarriedKey("IRK", 1, "SM4", "A1B2C3D4")])
    return made


class Answering(InProcessReader):
    """Answers some commands by itself, once the session is as far as the test wants it."""

    def __init__(self, chip: VirtualKeyCarrier, answers: dict[int, str]) -> None:
        super().__init__(chip)
        self.answers = answers

    def transmit(self, apdu: bytes) -> bytes:
        return bytes.fromhex(self.answers[apdu[1]]) if apdu[1] in self.answers else super().transmit(apdu)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({0xCA: "FF" * 10 + "9000"}, Code.CARRIER_SPOILED),
        ({0xCA: "53489000"}, Code.CARRIER_SPOILED),
        ({0x84: "11229000"}, Code.CARRIER_SPOILED),
        ({0xB0: "9000"}, Code.CARRIER_KEYS_DIFFER),
        ({0xB0: "6581"}, Code.CARD_ANSWERED),
        ({0x20: "6581"}, Code.CARD_ANSWERED),
    ],
)
def test_answers_of_no_form_are_refused(chip: VirtualKeyCarrier, answers: dict[int, str], code: Code) -> None:
    with pytest.raises(Refused) as refusal, KeyCarrierSession(Answering(chip, answers), OpenKeys()) as session:
        session.authenticate(PIN)
        session.read_envelopes()
    assert refusal.value.code is code


def test_a_state_of_no_form_is_refused(chip: VirtualKeyCarrier) -> None:
    reader = Answering(chip, {})
    with KeyCarrierSession(reader, OpenKeys()) as session:
        reader.answers[0xCA] = "00039000"
        with pytest.raises(Refused) as refusal:
            session.state()
    assert refusal.value.code is Code.CARRIER_SPOILED


@pytest.mark.parametrize("file", ["no JSON", '{"label": "x"}', '{"label": "x", "items": [{"name": "IRK"}]}', "[]"])
def test_a_content_that_was_changed_in_the_chip_is_found(
    chip: VirtualKeyCarrier, memory: MemoryStorage, file: str
) -> None:
    memory.open()
    memory.commit({"content/1/0/0": file.encode()})
    memory.close()
    with KeyCarrierSession(InProcessReader(chip), OpenKeys()) as session:
        session.authenticate(PIN)
        for verb in (session.contents, session.read_envelopes):
            with pytest.raises(Refused) as refusal:
                verb()
            assert refusal.value.code is Code.CARRIER_SPOILED
