"""From a blank chip to a card that a terminal accepts, its keys from a real encryption machine (H3, H5)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from sheka.equipment.card_reader import vpcd
from sheka.equipment.card_reader.counterfeit import authenticate_card
from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.pcsc import PcscReader
from sheka.equipment.card_reader.session import CardSession
from sheka.equipment.initialisation.order import ChipOrder
from sheka.equipment.initialisation.personalise import Fate, fate_of, personalise
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

BlankChip = Callable[..., VirtualCard]
CutReader = Callable[[VirtualCard, int], InProcessReader]


class Counting(InProcessReader):
    """Counts the commands and keeps what went over the contacts."""

    def __init__(self, card: VirtualCard) -> None:
        super().__init__(card)
        self.sent: list[bytes] = []

    def transmit(self, apdu: bytes) -> bytes:
        self.sent.append(apdu)
        return super().transmit(apdu)


def with_file(order: ChipOrder, path: str, data: Any) -> ChipOrder:
    files = {**order.holder.files, path: data}
    return dataclasses.replace(order, holder=dataclasses.replace(order.holder, files=files))


@pytest.mark.req("H3")
@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda value: value.name)
@pytest.mark.parametrize("version", ["2.00", "3.00"])
def test_a_blank_chip_becomes_a_genuine_card(
    city: Any, blank_chip: BlankChip, algorithm: Algorithm, version: str
) -> None:
    order = city.order(algorithm, version, everything=True)
    chip = blank_chip(algorithm)
    result = personalise(InProcessReader(chip), order, city.keys(order))
    assert result.card_number == order.card_number
    assert result.identification_code == order.identification_code
    assert result.atr == "3B6D0000" + order.holder.historical.hex().upper()
    assert result.keys == len(city.profile.keys)
    assert len(result.chip_serial) == 16
    assert not result.resumed
    irk = city.references[algorithm]["IRK", 1]
    with CardSession(InProcessReader(chip)) as session:
        genuine = authenticate_card(
            session,
            lambda factor, source: city.machine.internal_authentication(irk, [factor], [source])[0],
            lambda factor, first12: city.machine.card_authentication_codes(irk, [factor], [first12])[0],
        )
    assert str(genuine.identity.card_number) == order.card_number


@pytest.mark.req("H3")
def test_no_key_crosses_the_contacts_in_clear_and_nothing_twice(city: Any, blank_chip: BlankChip) -> None:
    """Two chips with the same city keys: not one wrapped key is the same."""
    wrapped = []
    for _ in range(2):
        order = city.order()
        reader = Counting(blank_chip())
        personalise(reader, order, city.keys(order))
        cla, ins = city.profile.instructions["write_key"]
        wrapped.append({apdu[8:24] for apdu in reader.sent if apdu[:2] == bytes((cla, ins))})
    assert len(wrapped[0]) == len(wrapped[1]) == len(city.profile.keys)
    assert not wrapped[0] & wrapped[1]


@pytest.mark.req("H3")
def test_it_works_through_pcsc_too(city: Any, blank_chip: BlankChip, pcsc_port: int) -> None:
    order = city.order(everything=True)
    with vpcd.insert(blank_chip(), port=pcsc_port):
        result = personalise(PcscReader(0), order, city.keys(order))
    assert result.card_number == order.card_number


@pytest.mark.req("H3")
@pytest.mark.parametrize("part", range(12))
def test_a_chip_cut_off_anywhere_is_continued_with_the_same_order(
    city: Any, blank_chip: BlankChip, cut_reader: CutReader, part: int
) -> None:
    """A power cut in the card printer must cost neither the chip nor the card number."""
    order = city.order()
    counted = Counting(blank_chip())
    personalise(counted, order, city.keys(order))
    cut = len(counted.sent) * part // 12 + part % 3
    order, chip = city.order(), blank_chip()
    with pytest.raises(Refused) as refusal:
        personalise(cut_reader(chip, cut), order, city.keys(order))
    assert refusal.value.code is Code.READER_CARD_LOST
    assert fate_of(refusal.value) is Fate.KEEP
    result = personalise(InProcessReader(chip), order, city.keys(order))
    assert result.card_number == order.card_number
    assert refusal.value.facts["chip_serial"] in ("", result.chip_serial) or result.chip_serial == ""
    assert personalise(InProcessReader(chip), order, city.keys(order)).resumed


@pytest.mark.req("H3")
def test_a_chip_cut_off_with_one_holders_data_is_never_another_holders_card(
    city: Any, blank_chip: BlankChip, cut_reader: CutReader
) -> None:
    order, chip = city.order(), blank_chip()
    counted = Counting(blank_chip())
    personalise(counted, order, city.keys(order))
    cut = len(counted.sent) // 4
    order = city.order()
    with pytest.raises(Refused):
        personalise(cut_reader(chip, cut), order, city.keys(order))
    other = city.order()
    with pytest.raises(Refused) as refusal:
        personalise(InProcessReader(chip), other, city.keys(other))
    assert refusal.value.code is Code.CHIP_BEGUN_FOR_ANOTHER
    assert fate_of(refusal.value) is Fate.SCRAP


def test_logs_are_not_appended_twice(city: Any, blank_chip: BlankChip, cut_reader: CutReader) -> None:
    """A cyclic file only grows: a second run would leave the first run's records behind the new ones."""
    order, chip = city.order(everything=True), blank_chip()
    counted = Counting(blank_chip())
    personalise(counted, order, city.keys(order))
    with pytest.raises(Refused):
        personalise(cut_reader(chip, len(counted.sent) // 3), order, city.keys(order))
    with pytest.raises(Refused) as refusal:
        personalise(InProcessReader(chip), order, city.keys(order))
    assert refusal.value.code is Code.CHIP_BEGUN_WITH_LOGS
    assert fate_of(refusal.value) is Fate.SCRAP


def test_data_left_by_an_earlier_run_of_the_order_are_found_by_reading_back(
    city: Any, blank_chip: BlankChip, cut_reader: CutReader
) -> None:
    """The holder's phone was taken off the order between two runs: the chip still has it, so it is no card."""
    order, chip = city.order(), blank_chip()
    longer = with_file(order, "DF01/EF06", {"phone": "0898-11112222"})
    counted = Counting(blank_chip())
    personalise(counted, longer, city.keys(longer))
    with pytest.raises(Refused):
        personalise(cut_reader(chip, len(counted.sent) // 2), longer, city.keys(longer))
    with pytest.raises(Refused) as refusal:
        personalise(InProcessReader(chip), order, city.keys(order))
    assert refusal.value.code is Code.CHIP_READ_BACK_DIFFERS
    assert "DF01/EF06" in str(refusal.value)
    assert fate_of(refusal.value) is Fate.SCRAP


def test_a_card_in_use_is_left_alone(city: Any, blank_chip: BlankChip) -> None:
    order, chip = city.order(), blank_chip()
    personalise(InProcessReader(chip), order, city.keys(order))
    other = city.order()
    with pytest.raises(Refused) as refusal:
        personalise(InProcessReader(chip), other, city.keys(other))
    assert refusal.value.code is Code.CHIP_NOT_BLANK
    assert fate_of(refusal.value) is Fate.KEEP
    with CardSession(InProcessReader(chip)) as session:
        session.select_sse()
        assert str(session.read_public_identity().card_number) == order.card_number


def test_bad_data_never_cost_a_chip(city: Any, blank_chip: BlankChip) -> None:
    order = city.order()
    bad = with_file(order, "SSSE/EF06", {"name": "张" * 20})
    reader = Counting(blank_chip())
    with pytest.raises(Refused) as refusal:
        personalise(reader, bad, city.keys(bad))
    assert refusal.value.code is Code.CHIP_ITEM_TOO_LONG
    assert reader.sent == []


def test_a_missing_key_is_named_before_anything_is_written(city: Any, blank_chip: BlankChip) -> None:
    order, chip = city.order(), blank_chip()
    keys = city.keys(order)
    poorer = dataclasses.replace(keys, references={k: v for k, v in keys.references.items() if k[0] != "DTK"})
    with pytest.raises(Refused) as refusal:
        personalise(InProcessReader(chip), order, poorer)
    assert refusal.value.code is Code.CHIP_ORDER_KEYS_MISSING
    assert "DTK" in str(refusal.value)
    assert fate_of(refusal.value) is Fate.KEEP
    assert personalise(InProcessReader(chip), order, keys).card_number == order.card_number


def test_a_chip_of_an_unknown_maker_takes_no_key(city: Any, new_drawer: Callable[[], Any]) -> None:
    """Whoever slips other chips into the production gets no key: the machine cannot prove itself to them."""
    drawer = new_drawer()
    drawer.manufacture(1, Algorithm.SM4)
    order = city.order()
    chip = drawer.take(Algorithm.SM4, order.card_number)
    for _ in range(5):
        with pytest.raises(Refused) as refusal:
            personalise(chip.reader(), order, city.keys(order))
        assert refusal.value.code is Code.CHIP_STEP_REFUSED
        assert fate_of(refusal.value) is Fate.KEEP
    with pytest.raises(Refused) as refusal:
        personalise(chip.reader(), order, city.keys(order))
    assert refusal.value.facts["status"] == "6983"
    assert fate_of(refusal.value) is Fate.SCRAP


def test_the_wrong_algorithm_is_refused_before_a_key_is_written(city: Any, blank_chip: BlankChip) -> None:
    order = city.order(Algorithm.SM4)
    with pytest.raises(Refused) as refusal:
        personalise(InProcessReader(blank_chip(Algorithm.TDES)), order, city.keys(order))
    assert refusal.value.code is Code.CHIP_IDENTITY_MISMATCH
    assert fate_of(refusal.value) is Fate.KEEP


class WrongIrk:
    """The keys of a city whose machine wraps another key for the IRK: a mix-up of references."""

    def __init__(self, keys: Any) -> None:
        self._wrong = dataclasses.replace(
            keys, references={**keys.references, ("IRK", 1): keys.references["RKSSSE", 1]}
        )
        self._right = keys

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrong if name == "wrapped_keys" else self._right, name)


@pytest.mark.req("C1")
def test_a_card_with_a_wrong_key_is_not_accepted(city: Any, blank_chip: BlankChip) -> None:
    """Such a card would be called a counterfeit at its first terminal."""
    order = city.order()
    with pytest.raises(Refused) as refusal:
        personalise(InProcessReader(blank_chip()), order, WrongIrk(city.keys(order)))
    assert refusal.value.code is Code.CHIP_NOT_ACCEPTED
    assert fate_of(refusal.value) is Fate.SCRAP
    assert "内部认证" in refusal.value.text("zh-Hans")


def test_a_stranger_in_the_reader_is_no_blank_chip(city: Any) -> None:
    class BankCard:
        def power_on(self) -> bytes:
            return bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")

        def power_off(self) -> None:
            return None

        def transmit(self, apdu: bytes) -> bytes:
            return bytes.fromhex("6E00")

    order = city.order()
    with pytest.raises(Refused) as refusal:
        personalise(InProcessReader(BankCard()), order, city.keys(order))
    assert refusal.value.code is Code.CHIP_NOT_BLANK


def test_an_order_shows_no_personal_data(city: Any) -> None:
    order = city.order()
    assert "张三" not in repr(order)
    assert order.card_number in repr(order)
