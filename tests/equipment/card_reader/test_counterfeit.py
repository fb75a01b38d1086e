"""A counterfeit is told from a genuine card, and the finding names the test that it failed (C1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from sheka.equipment.card_reader.counterfeit import authenticate_card
from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.chip.authentication import card_authentication_code, internal_response
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.personalisation import personalisation_steps
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.chip.sample import SampleKeys, blank_chip, sample_holder
from sheka.foundation.chip.steps import carry_out
from sheka.foundation.chip.storage import MemoryStorage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

MakeCard = Callable[..., VirtualCard]


@dataclasses.dataclass(frozen=True)
class Verifier:
    """The machine's side with the sample's card key; counts how often it was asked."""

    keys: SampleKeys
    asked: list[str] = dataclasses.field(default_factory=list)

    def answer(self, factor: bytes, source: bytes) -> bytes:
        self.asked.append("answer")
        return internal_response(self.keys.algorithm, self.keys.card_key("IRK"), factor, source)

    def code(self, factor: bytes, first12: bytes) -> bytes:
        self.asked.append("code")
        return card_authentication_code(self.keys.algorithm, self.keys.card_key("IRK"), first12)


class ForgedKeys(SampleKeys):
    """A forger has blank chips and their transport key, and every public byte of a real card, but not its IRK."""

    def card_key(self, name: str, version: int = 1) -> bytes:
        genuine = super().card_key(name, version)
        return genuine if name != "IRK" else bytes(octet ^ 0xFF for octet in genuine)


def forged_card(algorithm: Algorithm) -> VirtualCard:
    profile, genuine = load_profile(), SampleKeys(algorithm)
    card = blank_chip(MemoryStorage(), profile, algorithm)
    card.power_on()
    holder = sample_holder(profile, genuine)
    steps = personalisation_steps(profile, holder, ForgedKeys(algorithm), algorithm=algorithm)
    carry_out(steps, card.transmit)
    card.power_off()
    return card


@pytest.mark.req("C1")
def test_a_genuine_card_passes(make_card: MakeCard, keys: SampleKeys) -> None:
    verifier = Verifier(keys)
    with CardSession(InProcessReader(make_card(keys.algorithm))) as session:
        genuine = authenticate_card(session, verifier.answer, verifier.code)
    assert str(genuine.identity.card_number) == "X00000019"
    assert verifier.asked == ["code", "answer"]


@pytest.mark.req("C1")
def test_a_copy_with_another_irk_fails_internal_authentication(keys: SampleKeys) -> None:
    """Everything readable was copied, so only the key can tell."""
    verifier = Verifier(keys)
    with (
        CardSession(InProcessReader(forged_card(keys.algorithm))) as session,
        pytest.raises(Refused) as refusal,
    ):
        authenticate_card(session, verifier.answer, verifier.code)
    assert refusal.value.code is Code.CARD_COUNTERFEIT
    assert refusal.value.facts["kind"] == "INTERNAL_AUTHENTICATION"
    assert "内部认证失败" in refusal.value.text("zh-Hans")


class Tampering(InProcessReader):
    """A card whose answers are changed on the way: an emulator in a plastic body."""

    def __init__(self, card: VirtualCard, change: Callable[[bytes], bytes]) -> None:
        super().__init__(card)
        self._change = change

    def connect(self) -> bytes:
        return self._change(super().connect())

    def transmit(self, apdu: bytes) -> bytes:
        return self._change(super().transmit(apdu))


@pytest.mark.req("C1")
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda data: data.replace(bytes.fromhex("3B6D0000"), bytes.fromhex("3B6D0001")), "ATR_FORM"),
        (lambda data: data.replace(bytes.fromhex("460000000135"), bytes.fromhex("460000000136")), "SERIAL"),
        (lambda data: data.replace(bytes.fromhex("4600 00000135"), bytes.fromhex("4500 00000135")), "REGION"),
        (
            lambda data: data[:14] + bytes([data[14] ^ 1]) + data[15:] if data[:1] == b"\x01" else data,
            "AUTHENTICATION_CODE",
        ),
        (lambda data: bytes.fromhex("6D00") if len(data) == 10 else data, "INTERNAL_AUTHENTICATION"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_test_of_genuineness_can_fail(make_card: MakeCard, change: Callable[[bytes], bytes], kind: str) -> None:
    verifier = Verifier(SampleKeys(Algorithm.SM4))
    with CardSession(Tampering(make_card(), change)) as session, pytest.raises(Refused) as refusal:
        authenticate_card(session, verifier.answer, verifier.code)
    assert refusal.value.code is Code.CARD_COUNTERFEIT
    assert refusal.value.facts["kind"] == kind


def test_a_machine_that_does_not_answer_makes_no_counterfeit(make_card: MakeCard) -> None:
    """A holder must not lose a genuine card because the encryption machine was down."""

    def unreachable(factor: bytes, source: bytes) -> bytes:
        raise Refused(Code.MACHINE_UNREACHABLE, address="unix:/nowhere", reason="refused")

    with CardSession(InProcessReader(make_card())) as session, pytest.raises(Refused) as refusal:
        authenticate_card(session, unreachable)
    assert refusal.value.code is Code.MACHINE_UNREACHABLE


def test_a_card_pulled_out_makes_no_counterfeit(make_card: MakeCard) -> None:
    reader = InProcessReader(make_card())

    def pull(factor: bytes, first12: bytes) -> bytes:
        reader.remove()
        return Verifier(SampleKeys(Algorithm.SM4)).code(factor, first12)

    with CardSession(reader) as session, pytest.raises(Refused) as refusal:
        authenticate_card(session, Verifier(SampleKeys(Algorithm.SM4)).answer, pull)
    assert refusal.value.code is Code.READER_CARD_LOST


def test_the_source_is_new_every_time(make_card: MakeCard) -> None:
    """A recorded answer must be worth nothing."""
    sources: list[bytes] = []
    verifier = Verifier(SampleKeys(Algorithm.SM4))

    def answer(factor: bytes, source: bytes) -> bytes:
        sources.append(source)
        return verifier.answer(factor, source)

    for _ in range(3):
        with CardSession(InProcessReader(make_card())) as session:
            authenticate_card(session, answer)
    assert len(set(sources)) == 3
