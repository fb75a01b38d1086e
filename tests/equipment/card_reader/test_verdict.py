"""The tests of a card, one by one, with the sample's keys on the other side (C1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from sheka.equipment.card_reader.counterfeit import GenuinenessTest
from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.session import CardSession
from sheka.equipment.card_reader.verdict import CardFacts, Outcome, facts_of, judge
from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.authentication import card_authentication_code, internal_response
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.sample import SampleKeys
from sheka.foundation.chip.steps import MOST_PARTS, exchange
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

MakeCard = Callable[..., VirtualCard]


@dataclasses.dataclass
class Register:
    """The issuer of the sample card; what it says of version and standing is set by a test."""

    algorithm: Algorithm
    said: dict[str, Term | None] = dataclasses.field(default_factory=dict)
    down: frozenset[str] = frozenset()

    def _key(self) -> bytes:
        return SampleKeys(self.algorithm).card_key("IRK")

    def _ask(self, what: str) -> None:
        if what in self.down:
            raise Refused(Code.MACHINE_UNREACHABLE, address="unix:/nowhere", reason="refused")

    def codes(self, facts: CardFacts, factor: bytes) -> list[bytes]:
        self._ask("codes")
        return [bytes(4), card_authentication_code(self.algorithm, self._key(), facts.code.signed_part)]

    def answer(self, facts: CardFacts, factor: bytes) -> bytes:
        self._ask("answer")
        return internal_response(self.algorithm, self._key(), facts.process_factor, facts.source)

    def version(self, facts: CardFacts) -> Term | None:
        self._ask("version")
        return self.said.get("version")

    def standing(self, facts: CardFacts) -> Term | None:
        self._ask("standing")
        return self.said.get("standing")


class Changed(InProcessReader):
    """A card whose answers are changed on the way."""

    def __init__(self, card: VirtualCard, change: Callable[[bytes], bytes]) -> None:
        super().__init__(card)
        self._change = change

    def connect(self) -> bytes:
        return self._change(super().connect())

    def transmit(self, apdu: bytes) -> bytes:
        return self._change(super().transmit(apdu))


def facts(reader: InProcessReader) -> CardFacts:
    with CardSession(reader) as session:
        return facts_of(session)


@pytest.mark.req("C1")
def test_a_genuine_card_passes_all_and_the_source_is_new_each_time(make_card: MakeCard, keys: SampleKeys) -> None:
    reader = InProcessReader(make_card(keys.algorithm))
    first, second = facts(reader), facts(reader)
    assert first.source != second.source
    verdict = judge(first, Register(keys.algorithm))
    assert verdict.passed and verdict.failed is None
    assert verdict.sentence == Term("各项检验均通过。", "Every test was passed.")
    assert verdict.as_record()["failed"] is None


@pytest.mark.req("C1")
@pytest.mark.parametrize(
    ("change", "test"),
    [
        (lambda data: data[:-1] if data[:1] == b"\x3b" else data, GenuinenessTest.ATR_FORM),
        (
            lambda data: data.replace(bytes.fromhex("460000000135"), bytes.fromhex("460000000136")),
            GenuinenessTest.SERIAL,
        ),
        (
            lambda data: data.replace(bytes.fromhex("460000000135"), bytes.fromhex("450000000135")),
            GenuinenessTest.REGION,
        ),
        (lambda data: b"\x69\x85" if len(data) == 10 else data, GenuinenessTest.INTERNAL_AUTHENTICATION),
    ],
    ids=["form", "serial", "region", "internal"],
)
def test_the_first_test_that_failed_is_named(
    make_card: MakeCard, change: Callable[[bytes], bytes], test: GenuinenessTest
) -> None:
    verdict = judge(facts(Changed(make_card(), change)), Register(Algorithm.SM4))
    assert verdict.failed is not None and verdict.failed.test is test
    assert test.value.zh in verdict.sentence.zh
    made = [result for result in verdict.results if result.outcome is not Outcome.NOT_MADE]
    assert len(made) >= 3, "what can be tested is tested all the same"


@pytest.mark.req("C1")
def test_what_the_register_says_is_told_with_its_reason(make_card: MakeCard) -> None:
    known = facts(InProcessReader(make_card()))
    for name, test in (("version", GenuinenessTest.KEY_VERSION), ("standing", GenuinenessTest.RECORDS)):
        verdict = judge(known, Register(Algorithm.SM4, {name: Term("因为", "because")}))
        assert verdict.failed is not None and verdict.failed.test is test
        assert "because" in verdict.sentence.en and "因为" in verdict.sentence.zh
        assert verdict.as_record()["failed"] == test.name


@pytest.mark.req("C1")
@pytest.mark.parametrize("down", ["codes", "answer", "version", "standing"])
def test_a_register_that_does_not_answer_makes_no_card_false(make_card: MakeCard, down: str) -> None:
    verdict = judge(facts(InProcessReader(make_card())), Register(Algorithm.SM4, down=frozenset({down})))
    assert verdict.failed is None and not verdict.passed
    assert "未检验" in verdict.sentence.zh and "not tested" in verdict.sentence.en


def test_a_card_pulled_out_or_with_a_state_of_no_form_gives_no_facts(make_card: MakeCard) -> None:
    class Pulled(InProcessReader):
        def transmit(self, apdu: bytes) -> bytes:
            if apdu[1] == 0x88:
                self.remove()
            return super().transmit(apdu)

    class Stated(InProcessReader):
        """Says of its own state what it likes."""

        def __init__(self, card: VirtualCard, said: str) -> None:
            super().__init__(card)
            self.said = bytes.fromhex(said)

        def transmit(self, apdu: bytes) -> bytes:
            return self.said if apdu[1] == 0xCA else super().transmit(apdu)

    for reader, code in (
        (Pulled(make_card()), Code.READER_CARD_LOST),
        (Stated(make_card(), "0903019000"), Code.CARD_DATA_MALFORMED),
        (Stated(make_card(), "0107019000"), Code.CARD_DATA_MALFORMED),
        (Stated(make_card(), "019000"), Code.CARD_DATA_MALFORMED),
    ):
        with pytest.raises(Refused) as refusal:
            facts(reader)
        assert refusal.value.code is code


def test_the_region_is_read_once_and_the_application_stays(make_card: MakeCard) -> None:
    with CardSession(InProcessReader(make_card())) as session:
        session.need_application()
        session.select("DF01")
        assert session.region() == session.region() == "460100"
        session.need_application()
        assert session.select_file("DF01/EF05").application == "DF01"


def test_no_answer_goes_on_without_an_end() -> None:
    sent: list[bytes] = []

    def endless(apdu: bytes) -> bytes:
        sent.append(apdu)
        return bytes(200) + b"\x61\xff"

    with pytest.raises(Refused) as refusal:
        exchange(endless, Command(0x00, 0xB0, 0, 0, b"", 256))
    assert refusal.value.code is Code.CARD_DATA_MALFORMED
    assert len(sent) == MOST_PARTS + 1
