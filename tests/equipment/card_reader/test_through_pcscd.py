"""A virtual card behind a real pcscd, read by real programs: opensc-tool, pyscard, our own session (H4)."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from sheka.equipment.card_reader import vpcd
from sheka.equipment.card_reader.counterfeit import authenticate_card
from sheka.equipment.card_reader.examination import examine
from sheka.equipment.card_reader.pcsc import PcscReader, list_readers
from sheka.equipment.card_reader.service import READER_NAME, PcscService
from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.chip.authentication import external_cryptogram, internal_response
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.sample import INITIAL_PIN, SampleKeys
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.refusals import Code, Refused

MakeCard = Callable[..., VirtualCard]
SELECT_SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"


@dataclass
class Slot:
    port: int

    def insert(self, card: VirtualCard) -> vpcd.Inserted:
        return vpcd.insert(card, port=self.port)


@pytest.fixture
def slot(pcsc_port: int) -> Iterator[Slot]:
    yield Slot(pcsc_port)


def opensc(*apdus: str) -> list[tuple[str, str]]:
    """(data, status word) of each APDU that opensc-tool sends."""
    argv = ["opensc-tool", "-r", "0"]
    for apdu in apdus:
        argv += ["-s", apdu]
    done = subprocess.run(argv, capture_output=True, timeout=30, check=True)
    text = done.stdout.decode("ascii", "replace")
    answers = []
    for part in text.split("Received (")[1:]:
        status = re.match(r"SW1=0x(..), SW2=0x(..)\)", part)
        assert status is not None, text
        rows = part.split("Sending:")[0].splitlines()[1:]
        octets = [re.match(r"(?:[0-9A-F]{2} ){0,16}", row) for row in rows]
        data = "".join(found[0] for found in octets if found is not None).replace(" ", "")
        answers.append((data, status[1] + status[2]))
    assert len(answers) == len(apdus), text
    return answers


@pytest.mark.req("H4")
def test_opensc_tool_reads_card_number_and_identification_code(slot: Slot, make_card: MakeCard) -> None:
    """The acceptance of a card by a program that is not ours."""
    with slot.insert(make_card()):
        answers = opensc(SELECT_SSSE, "00A4000002EF05", "00B207040B", "00B2010412")
    assert [status for _, status in answers] == ["9000"] * 4
    assert bytes.fromhex(answers[2][0]) == b"\x07\x09X00000019"
    assert answers[3][0].startswith("0110460100D15600000500000135")


@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda value: value.name)
def test_what_is_not_there_or_not_allowed_has_its_status_word(
    slot: Slot, make_card: MakeCard, algorithm: Algorithm
) -> None:
    with slot.insert(make_card(algorithm)):
        answers = opensc(
            "00FE000000", SELECT_SSSE, "00A4000002EFEE", "00A4000002EF05", "00DC07040B0709583030303030303139"
        )
    assert [status for _, status in answers] == ["6D00", "9000", "6A82", "9000", "6982"]


@pytest.mark.req("H4")
def test_our_session_does_all_its_work_through_pcsc(slot: Slot, make_card: MakeCard) -> None:
    keys = SampleKeys(Algorithm.SM4)
    card = make_card()
    with slot.insert(card), CardSession(PcscReader(0)) as session:
        genuine = authenticate_card(session, lambda f, s: internal_response(keys.algorithm, keys.card_key("IRK"), f, s))
        assert str(genuine.identity.card_number) == "X00000019"
        session.change_pin(INITIAL_PIN, "802345")
        session.verify_pin("802345")
        assert session.read("DF01/EF05")["household_region"] == "460106"
        session.update_item(
            "DF01/EF06",
            "phone",
            "0898-87654321",
            mac_of=lambda message, iv: command_mac(keys.algorithm, keys.card_key("UK4DF01"), message, iv),
        )
        session.external_authenticate(
            "RKSSSE", lambda c: external_cryptogram(keys.algorithm, keys.card_key("RKSSSE"), c)
        )
        assert len(session.read("SSSE/EF08")) == 0x1000
        session.verify_pin("802345")
        assert session.read("DF01/EF06")["phone"] == "0898-87654321"


def test_presence_polling_leaves_an_authentication_alone(slot: Slot, make_card: MakeCard) -> None:
    """pcscd asks for the ATR every 0.4 s; a session at a counter lasts minutes."""
    keys = SampleKeys(Algorithm.SM4)
    with slot.insert(make_card()) as inserted, CardSession(PcscReader(0)) as session:
        session.external_authenticate(
            "RKSSSE", lambda c: external_cryptogram(keys.algorithm, keys.card_key("RKSSSE"), c)
        )
        assert not inserted.wait(1.2)
        assert len(session.read("SSSE/EF07")) == 0x300


def test_pyscard_reads_the_card(slot: Slot, make_card: MakeCard) -> None:
    from smartcard.System import readers

    with slot.insert(make_card()):
        connection = readers()[0].createConnection()
        connection.connect()
        try:
            assert bytes(connection.getATR()) == bytes.fromhex("3B6D000000814A46868660460000000135")
            data, sw1, sw2 = connection.transmit(list(bytes.fromhex("00A4000002DDF1")))
            if sw1 == 0x61:
                data, sw1, sw2 = connection.transmit([0x00, 0xC0, 0x00, 0x00, sw2])
            assert (sw1, sw2) == (0x90, 0x00)
            assert bytes(data)[:2].hex() == f"6f{len(data) - 2:02x}"
        finally:
            connection.disconnect()


def test_readers_are_found_by_number_and_name_and_refusals_say_what_is_wrong(slot: Slot, make_card: MakeCard) -> None:
    names = list_readers()
    assert len(names) == 2
    assert all(name.startswith(READER_NAME) for name in names)
    for which, code in ((0, Code.READER_NO_CARD), (9, Code.READER_NOT_FOUND), (READER_NAME, Code.READER_NOT_FOUND)):
        with pytest.raises(Refused) as refusal:
            PcscReader(which).connect()
        assert refusal.value.code is code
    with slot.insert(make_card()):
        first = PcscReader(names[0])
        assert first.connect().hex().startswith("3b6d0000")
        with pytest.raises(Refused) as refusal:
            PcscReader(0).connect()
        assert refusal.value.code is Code.READER_BUSY
        first.disconnect()
        again = PcscReader("00 00")
        again.connect()
        again.disconnect()
        again.disconnect()


def test_a_card_pulled_out_of_the_reader_is_a_lost_card(slot: Slot, make_card: MakeCard) -> None:
    session = CardSession(PcscReader(0))
    with slot.insert(make_card()) as inserted:
        session.open()
        session.select_sse()
        inserted.remove()
        with pytest.raises(Refused) as refusal:
            session.read_public_identity()
        session.close()
    assert refusal.value.code is Code.READER_CARD_LOST


def test_two_cards_lie_in_the_two_slots(slot: Slot, make_card: MakeCard) -> None:
    with slot.insert(make_card(Algorithm.SM4)), vpcd.insert(make_card(Algorithm.TDES), port=slot.port + 1):
        for number, algorithm in ((0, Algorithm.SM4), (1, Algorithm.TDES)):
            with CardSession(PcscReader(number)) as session:
                session.select_sse()
                assert session.algorithm is algorithm


@pytest.mark.req("R7")
def test_the_finding_is_the_same_through_pcsc(slot: Slot, make_card: MakeCard) -> None:
    with slot.insert(make_card(version="3.00")):
        finding = examine(PcscReader(0))
    assert finding.readable
    assert finding.reader.startswith(READER_NAME)


def test_an_occupied_slot_takes_no_second_card(slot: Slot, make_card: MakeCard) -> None:
    with slot.insert(make_card()), pytest.raises(Refused) as refusal:
        vpcd.insert(make_card(), port=slot.port, seconds=1)
    assert refusal.value.code is Code.VPCD_UNREACHABLE


def test_a_second_service_is_not_started(slot: Slot, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(Refused) as refusal:
        PcscService(tmp_path_factory.mktemp("second"), slot.port + 10).start()
    assert refusal.value.code is Code.READER_SERVICE_FAILED
    assert len(list_readers()) == 2
