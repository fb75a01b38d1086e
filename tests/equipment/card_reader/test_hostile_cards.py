"""Anybody can put anything into a reader: whatever it answers, the counter reads a refusal and never a traceback."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.equipment.card_reader.counterfeit import authenticate_card
from sheka.equipment.card_reader.examination import examine
from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.session import CardSession, algorithm_of
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

MakeCard = Callable[..., VirtualCard]
ATR = bytes.fromhex("3B6D000000814A46868660460000000135")


@dataclass
class AnythingCard:
    """Answers what the list says, one after another, then 6F00."""

    answers: list[bytes]
    atr: bytes = ATR
    asked: list[bytes] = field(default_factory=list)

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        self.asked.clear()

    def transmit(self, apdu: bytes) -> bytes:
        self.asked.append(apdu)
        return self.answers.pop(0) if self.answers else b"\x6f\x00"


ANSWERS = st.lists(
    st.builds(
        lambda data, status: data + status,
        st.one_of(
            st.binary(max_size=40), st.just(b""), st.binary(max_size=4).map(lambda d: b"\x6f" + bytes([len(d)]) + d)
        ),
        st.sampled_from([b"\x90\x00", b"\x90\x00", b"\x61\x04", b"\x6c\x10", b"\x69\x82", b"\x00\x00"]),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(answers=ANSWERS, atr=st.one_of(st.just(ATR), st.binary(max_size=33)))
def test_whatever_a_card_answers_there_is_a_finding_or_a_refusal(answers: list[bytes], atr: bytes) -> None:
    finding = examine(InProcessReader(AnythingCard(list(answers), atr)))
    assert not finding.readable
    assert finding.sentence.zh
    with pytest.raises(Refused), CardSession(InProcessReader(AnythingCard(list(answers), atr))) as session:
        authenticate_card(session, lambda factor, source: bytes(8))


@settings(max_examples=60, deadline=None)
@given(changes=st.dictionaries(st.integers(0, 12), st.binary(max_size=24), min_size=1, max_size=3))
def test_a_good_card_with_spoilt_answers_never_raises_anything_else(
    made_card: VirtualCard, changes: dict[int, bytes]
) -> None:
    class Spoiling(InProcessReader):
        sent = 0

        def transmit(self, apdu: bytes) -> bytes:
            answer = super().transmit(apdu)
            self.sent += 1
            return changes.get(self.sent - 1, answer[:-2]) + answer[-2:]

    with contextlib.suppress(Refused), CardSession(Spoiling(made_card)) as session:
        session.select_sse()
        session.read_public_identity()
        session.read_holder()
    assert not made_card.powered


@pytest.fixture(scope="module")
def made_card() -> VirtualCard:
    from sheka.foundation.chip.sample import sample_card

    return sample_card()


@given(data=st.binary(max_size=40))
def test_an_fci_of_any_bytes_has_an_algorithm(data: bytes) -> None:
    assert algorithm_of(data) in Algorithm
    assert algorithm_of(b"\x6f" + bytes([len(data)]) + data) in Algorithm


@pytest.mark.parametrize(
    ("fci", "algorithm"),
    [
        ("6F15840F7378312E73682EC9E7BBE1B1A3D5CFA502880105", Algorithm.TDES),
        ("6F0BA509880101 9F0C03860103", Algorithm.SM4),
        ("6F0BA509880101 9F0C03860101", Algorithm.TDES),
        ("6F0BA509880101 9F0C038601", Algorithm.TDES),
        ("", Algorithm.TDES),
    ],
)
def test_the_algorithm_stands_in_9f0c(fci: str, algorithm: Algorithm) -> None:
    assert algorithm_of(bytes.fromhex(fci)) is algorithm


def test_a_card_that_keeps_announcing_more_does_not_hold_the_reader_for_ever() -> None:
    class Endless(AnythingCard):
        def transmit(self, apdu: bytes) -> bytes:
            return b"\x00\x61\x01"

    with CardSession(InProcessReader(Endless([]))) as session, pytest.raises(Refused) as refusal:
        session.select_sse()
    assert refusal.value.code is Code.CARD_DATA_MALFORMED
