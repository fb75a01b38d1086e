"""The drawer of virtual chips: no chip in two places, no number on two chips, nothing lost in a crash (H3)."""

from __future__ import annotations

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sheka.equipment.card_reader.examination import examine
from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.session import CardSession
from sheka.equipment.initialisation.drawer import ChipDrawer, DrawnChip
from sheka.equipment.initialisation.personalise import personalise
from sheka.equipment.initialisation.station import produce
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

CutReader = Callable[[VirtualCard, int], InProcessReader]
NUMBERS = ("X00000019", "ET000077X", "D2143569X")


@pytest.fixture
def drawer(tmp_path: Path) -> ChipDrawer:
    return ChipDrawer(tmp_path / "drawer", sync=False)


def test_blank_chips_are_taken_oldest_first_and_counted(drawer: ChipDrawer) -> None:
    serials = drawer.manufacture(3, Algorithm.SM4)
    assert drawer.manufacture(1, Algorithm.TDES)[0] not in serials
    assert serials == sorted(serials)
    taken = [drawer.take(Algorithm.SM4, number) for number in NUMBERS]
    assert [chip.serial for chip in taken] == serials
    assert (drawer.blanks(Algorithm.SM4), drawer.blanks(Algorithm.TDES)) == (0, 1)
    assert drawer.begun() == sorted(NUMBERS)
    assert drawer.take(Algorithm.SM4, NUMBERS[1]).serial == serials[1]
    with pytest.raises(Refused) as refusal:
        drawer.take(Algorithm.SM4, "A00000016")
    assert refusal.value.code is Code.DRAWER_EMPTY


def test_no_drawer_no_card(drawer: ChipDrawer) -> None:
    for ask in (lambda: drawer.take(Algorithm.SM4, NUMBERS[0]), lambda: drawer.card(NUMBERS[0])):
        with pytest.raises(Refused) as refusal:
            ask()
        assert refusal.value.code is Code.DRAWER_ABSENT
    assert drawer.numbers() == drawer.begun() == drawer.scrapped() == []


def test_many_hands_take_many_different_chips(drawer: ChipDrawer) -> None:
    """Two workers with one chip would make one holder's card twice and the other's not at all."""
    drawer.manufacture(40, Algorithm.SM4)

    def take(index: int) -> str:
        own = ChipDrawer(drawer.folder, sync=False)
        return own.take(Algorithm.SM4, f"A{index % 20:07d}0").serial

    with ThreadPoolExecutor(8) as pool:
        serials = list(pool.map(take, range(40)))
    assert serials[:20] == serials[20:]
    assert len(set(serials)) == 20
    assert drawer.blanks(Algorithm.SM4) == 20


def test_a_number_that_is_none_leads_nowhere(drawer: ChipDrawer) -> None:
    """A card number becomes a folder name: nothing but nine characters may."""
    drawer.manufacture(1, Algorithm.SM4)
    for number in ("../../etc1", "x00000019", "X0000001", "5348000000000001"):
        with pytest.raises(Refused) as refusal:
            drawer.take(Algorithm.SM4, number)
        assert refusal.value.code is Code.DRAWER_CARD_UNKNOWN
        with pytest.raises(Refused):
            drawer.card(number)


def test_the_makers_keys_are_for_its_owner_only(drawer: ChipDrawer) -> None:
    drawer.manufacture(1, Algorithm.SM4)
    assert drawer.maker.public_key[0] == 4
    files = sorted((drawer.folder / "maker").glob("*.key"))
    assert [path.name for path in files] == ["signing.key", "transport-sm4.key"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    assert stat.S_IMODE(drawer.folder.stat().st_mode) == 0o700
    files[1].chmod(0o644)
    with pytest.raises(Refused) as refusal:
        drawer.manufacture(1, Algorithm.SM4)
    assert refusal.value.code is Code.DRAWER_KEY_EXPOSED


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Refused) as refusal:
        ChipDrawer(tmp_path / "file" / "drawer").manufacture(1, Algorithm.SM4)
    assert refusal.value.code is Code.DRAWER_FAILED


def test_every_chip_has_a_transport_key_of_its_own(drawer: ChipDrawer) -> None:
    first, second = (bytes.fromhex(serial) for serial in drawer.manufacture(2, Algorithm.SM4))
    maker = drawer.maker
    keys = {maker.transport_key(algorithm, serial) for algorithm in Algorithm for serial in (first, second)}
    assert len(keys) == 4


@pytest.mark.req("H3")
def test_the_station_makes_a_card_and_files_it_by_its_number(city: Any) -> None:
    city.drawer.manufacture(1, Algorithm.SM4)
    order = city.order()
    result = produce(city.drawer, order, city.keys(order))
    assert result.card_number in city.drawer.numbers()
    assert city.drawer.serial_of(result.card_number) == result.chip_serial
    with CardSession(city.drawer.reader(result.card_number)) as session:
        session.select_sse()
        assert session.read_public_identity().identification_code.text == result.identification_code


@pytest.mark.req("H3")
def test_producing_twice_gives_the_same_card(city: Any) -> None:
    """The database forgot the answer: the repeated order must not make a second card of the same number."""
    city.drawer.manufacture(2, Algorithm.SM4)
    order = city.order()
    first = produce(city.drawer, order, city.keys(order))
    before = city.drawer.blanks(Algorithm.SM4)
    again = produce(city.drawer, order, city.keys(order))
    assert again.resumed
    assert (again.card_number, again.atr, again.chip_serial) == (first.card_number, first.atr, first.chip_serial)
    assert city.drawer.blanks(Algorithm.SM4) == before


def test_a_cut_in_production_goes_on_with_the_same_chip(city: Any, cut_reader: CutReader) -> None:
    city.drawer.manufacture(1, Algorithm.SM4)
    order = city.order()

    def cutting(chip: DrawnChip) -> InProcessReader:
        return cut_reader(chip.card, 90)

    with pytest.raises(Refused) as refusal:
        produce(city.drawer, order, city.keys(order), reader_of=cutting)
    serial = refusal.value.facts["chip_serial"]
    assert order.card_number in city.drawer.begun()
    with pytest.raises(Refused) as unknown:
        city.drawer.card(order.card_number)
    assert unknown.value.code is Code.DRAWER_CARD_UNKNOWN
    result = produce(city.drawer, order, city.keys(order))
    assert result.resumed
    assert result.chip_serial == serial == city.drawer.serial_of(order.card_number)
    assert order.card_number not in city.drawer.begun()


def test_a_spoilt_chip_is_scrap_and_the_next_one_serves(city: Any, cut_reader: CutReader) -> None:
    drawer = city.drawer
    drawer.manufacture(2, Algorithm.SM4)
    order = city.order(everything=True)
    with pytest.raises(Refused):
        produce(drawer, order, city.keys(order), reader_of=lambda chip: cut_reader(chip.card, 200))
    with pytest.raises(Refused) as refusal:
        produce(drawer, order, city.keys(order))
    assert refusal.value.code is Code.CHIP_BEGUN_WITH_LOGS
    spoilt = str(refusal.value.facts["chip_serial"])
    assert spoilt in drawer.scrapped()
    result = produce(drawer, order, city.keys(order))
    assert result.chip_serial != spoilt
    drawer.destroy_scrap(spoilt)
    assert spoilt not in drawer.scrapped()
    with pytest.raises(Refused):
        drawer.destroy_scrap(spoilt)
    with pytest.raises(Refused):
        drawer.destroy_scrap("../maker/lock")


@pytest.mark.req("H3")
def test_a_chip_personalised_by_somebody_else_is_found_by_the_number_it_holds(city: Any, cut_reader: CutReader) -> None:
    """Production works with readers; whoever looks for the card later knows its number only."""
    drawer = city.drawer
    drawer.manufacture(2, Algorithm.TDES)
    done, cut = drawer.take(Algorithm.TDES), drawer.take(int(Algorithm.TDES))
    assert drawer.begun() == [done.serial, cut.serial]
    order, other = city.order(Algorithm.TDES), city.order(Algorithm.TDES)
    personalise(drawer.reader(done), order, city.keys(order))
    with pytest.raises(Refused):
        personalise(cut_reader(cut.card, 150), other, city.keys(other))
    assert examine(drawer.reader(order.card_number)).card_number == order.card_number
    assert drawer.serial_of(order.card_number) == done.serial
    assert drawer.begun() == [cut.serial]
    with pytest.raises(Refused) as refusal:
        drawer.card(other.card_number)
    assert refusal.value.code is Code.DRAWER_CARD_UNKNOWN
    drawer.scrap(drawer.begun_chip(cut.serial))
    assert cut.serial in drawer.scrapped()


def test_one_number_is_never_filed_on_two_chips(city: Any) -> None:
    drawer = city.drawer
    drawer.manufacture(2, Algorithm.SM4)
    order = city.order()
    first, second = drawer.take(Algorithm.SM4), drawer.take(Algorithm.SM4)
    for chip in (first, second):
        personalise(drawer.reader(chip), order, city.keys(order))
    drawer.finish(first, order.card_number)
    drawer.finish(first, order.card_number)
    with pytest.raises(Refused) as refusal:
        drawer.finish(second, order.card_number)
    assert refusal.value.code is Code.DRAWER_CARD_TAKEN
    drawer.sort()
    assert drawer.serial_of(order.card_number) == first.serial
    drawer.scrap(drawer.begun_chip(second.serial))


@pytest.mark.req("R7")
def test_a_broken_chip_is_found_unreadable_and_a_good_one_is_not(city: Any) -> None:
    city.drawer.manufacture(1, Algorithm.SM4)
    order = city.order()
    number = produce(city.drawer, order, city.keys(order)).card_number
    assert examine(city.drawer.reader(number)).readable
    city.drawer.break_chip(number)
    finding = examine(city.drawer.reader(number))
    assert not finding.readable
    assert finding.atr == ""


@pytest.mark.req("R4")
def test_a_destroyed_card_is_gone(city: Any) -> None:
    city.drawer.manufacture(1, Algorithm.SM4)
    order = city.order()
    number = produce(city.drawer, order, city.keys(order)).card_number
    city.drawer.destroy(number)
    assert number not in city.drawer.numbers()
    with pytest.raises(Refused) as refusal:
        city.drawer.card(number)
    assert refusal.value.code is Code.DRAWER_CARD_UNKNOWN


def test_a_card_that_changed_since_is_never_made_scrap(city: Any) -> None:
    """Its holder uses it: a repeated order finds other data and must leave it where it is."""
    city.drawer.manufacture(1, Algorithm.SM4)
    order = city.order()
    number = produce(city.drawer, order, city.keys(order)).card_number
    factor = order.factor(city.profile)
    key = city.references[Algorithm.SM4]["UK4DF01", 1]
    with CardSession(city.drawer.reader(number)) as session:
        session.external_authenticate(
            "UK4DF01", lambda challenge: city.machine.external_authentication(key, [factor], [challenge])[0]
        )
        session.update_item("DF01/EF06", "phone", "0898-33334444")
    with pytest.raises(Refused) as refusal:
        produce(city.drawer, order, city.keys(order))
    assert refusal.value.code is Code.CHIP_READ_BACK_DIFFERS
    assert number in city.drawer.numbers()


def test_a_chip_in_a_reader_cannot_be_used_twice(city: Any) -> None:
    city.drawer.manufacture(1, Algorithm.SM4)
    order = city.order()
    number = produce(city.drawer, order, city.keys(order)).card_number
    with CardSession(city.drawer.reader(number)), pytest.raises(Refused) as refusal:
        CardSession(city.drawer.reader(number)).open()
    assert refusal.value.code is Code.CHIP_STORAGE_IN_USE
