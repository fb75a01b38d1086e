"""The reader's own finding (R7): an exchange rests on it, so it must tell a damaged chip from a pulled plug."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sheka.equipment.card_reader.examination import examine
from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.pcsc import PcscReader
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.refusals import Code, Refused

MakeCard = Callable[..., VirtualCard]


class Failing(InProcessReader):
    """A reader in which the chip fails at one instruction: with a status word, with rubbish, or by going mute."""

    def __init__(self, card: VirtualCard, instruction: int, answer: bytes) -> None:
        super().__init__(card, "counter 1")
        self._instruction, self._answer = instruction, answer

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[1] == self._instruction:
            if not self._answer:
                raise Refused(Code.READER_CARD_LOST, reader=self.name)
            return self._answer
        return super().transmit(apdu)


@pytest.mark.req("R7")
@pytest.mark.parametrize("version", ["2.00", "3.00"])
def test_a_good_chip_is_readable(make_card: MakeCard, version: str) -> None:
    """On a 3.00 card the holder's data are protected: that is no damage."""
    finding = examine(InProcessReader(make_card(version=version)))
    assert finding.readable
    assert finding.card_number == "X00000019"
    assert finding.atr.startswith("3B6D0000")
    assert [step.status for step in finding.steps].count("6982") == (version == "3.00")
    assert finding.sentence.zh == "芯片读写正常。"


@pytest.mark.req("R7")
@pytest.mark.parametrize(
    ("instruction", "answer", "failed", "status"),
    [
        (0xA4, "6F00", "select the social security application", "6F00"),
        (0xA4, "6A82", "select the social security application", ""),
        (0xB2, "6581", "read the issuer data", "6581"),
        (0xB2, "6982", "read the issuer data", "6982"),
        (0xB2, "0710" + "00" * 16 + "9000", "read the issuer data", ""),
        (0x84, "00009000", "get challenge", ""),
        (0x88, "6F00", "answer an internal authentication", "6F00"),
        (0x88, "", "answer an internal authentication", ""),
    ],
)
def test_a_failing_chip_is_not_readable_and_the_finding_says_where(
    make_card: MakeCard, instruction: int, answer: str, failed: str, status: str
) -> None:
    finding = examine(Failing(make_card(), instruction, bytes.fromhex(answer)))
    assert not finding.readable
    last = finding.steps[-1]
    assert (last.step.en, last.status, last.ok) == (failed, status, False)
    assert failed in finding.sentence.en
    assert finding.sentence.en.endswith(f"({status})." if status else ".")
    assert finding.sentence.zh.endswith(f"（{status}）。" if status else "。")
    assert "不能正常读写" in finding.sentence.zh


@pytest.mark.req("R7")
def test_a_mute_chip_is_a_finding(make_card: MakeCard) -> None:
    class Mute(InProcessReader):
        def connect(self) -> bytes:
            raise Refused(Code.READER_CARD_MUTE, reader=self.name)

    finding = examine(Mute(make_card()))
    assert not finding.readable
    assert finding.atr == ""
    assert len(finding.steps) == 1


@pytest.mark.req("R7")
@pytest.mark.parametrize("reader", [InProcessReader(None), PcscReader("no such reader")], ids=["empty", "no service"])
def test_equipment_that_fails_is_no_finding_on_a_chip(reader: InProcessReader | PcscReader) -> None:
    """No card would otherwise be exchanged for free because somebody pulled the reader's plug."""
    with pytest.raises(Refused) as refusal:
        examine(reader)
    assert 2200 <= refusal.value.number < 2220


def test_the_record_is_plain_and_holds_no_personal_data(make_card: MakeCard) -> None:
    record = json.dumps(examine(InProcessReader(make_card())).as_record(), ensure_ascii=False)
    assert "张三" not in record
    assert "460100199001010019" not in record
    assert '"readable": true' in record


def test_the_card_is_powered_down_afterwards(make_card: MakeCard) -> None:
    card = make_card()
    examine(InProcessReader(card))
    assert not card.powered
