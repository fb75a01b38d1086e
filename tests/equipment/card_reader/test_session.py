"""Reading, proving and writing through a session: what every counter, pharmacy and hospital does with a card."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from sheka.equipment.card_reader import maintenance
from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.chip.authentication import external_cryptogram, internal_response
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.sample import INITIAL_PIN, SampleKeys
from sheka.foundation.chip.secure_messaging import MacOf, enciphered_pin
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.refusals import Code, Refused

MakeCard = Callable[..., VirtualCard]


def cryptogram_of(keys: SampleKeys, name: str) -> Callable[[bytes], bytes]:
    return lambda challenge: external_cryptogram(keys.algorithm, keys.card_key(name), challenge)


def mac_of(keys: SampleKeys, name: str) -> MacOf:
    return lambda message, iv: command_mac(keys.algorithm, keys.card_key(name), message, iv)


@pytest.mark.req("H4")
def test_the_public_identity_is_free_to_read(session: CardSession, keys: SampleKeys) -> None:
    session.select_sse()
    identity = session.read_public_identity()
    assert str(identity.card_number) == "X00000019"
    assert identity.identification_code.text.startswith("460100D15600000500000135")
    assert identity.specification_version == "2.00"
    assert identity.expiry_date > identity.issue_date
    assert session.algorithm is keys.algorithm
    assert session.factor == bytes.fromhex("8660460000000135")


def test_the_holder_shows_masked_and_logs_nothing(session: CardSession, caplog: pytest.LogCaptureFixture) -> None:
    """A log or a traceback with a holder's number would be a leak of personal data."""
    with caplog.at_level(logging.DEBUG):
        holder = session.read_holder()
    assert holder.social_security_number == "460100199001010019"
    assert holder.name == "张三"
    assert "199001010" not in repr(holder)
    assert "张三" not in repr(holder)
    assert caplog.text == ""


def test_a_3_00_card_gives_the_holder_only_after_external_authentication(make_card: MakeCard) -> None:
    keys = SampleKeys(Algorithm.SM4)
    with CardSession(InProcessReader(make_card(version="3.00"))) as session:
        with pytest.raises(Refused) as refusal:
            session.read_holder()
        assert refusal.value.code is Code.CARD_ANSWERED
        assert refusal.value.facts["status"] == "6982"
        session.external_authenticate("RKSSSE", cryptogram_of(keys, "RKSSSE"))
        assert session.read_holder().name == "张三"


def test_every_kind_of_file_reads(session: CardSession, keys: SampleKeys) -> None:
    session.external_authenticate("RK1DF01", cryptogram_of(keys, "RK1DF01"))
    assert session.read("DF01/EF05")["household_region"] == "460106"
    assert len(session.read("DF01/EF15")["degree"]) == 3
    assert session.read("DF01/EF16")[:1] == b"\x01"
    session.external_authenticate("RK1DF02", cryptogram_of(keys, "RK1DF02"))
    assert len(session.read("DF02/EF07")) == 1
    session.external_authenticate("RKSSSE", cryptogram_of(keys, "RKSSSE"))
    photo = session.read("SSSE/EF08")
    assert len(photo) == 0x1000
    assert photo.startswith(b"\xff\xd8")


def test_one_item_by_its_tag(session: CardSession) -> None:
    session.select_file("SSSE/EF05")
    assert session.read_item(0x07, 9) == b"X00000019"
    with pytest.raises(Refused) as refusal:
        session.read_item(0x77, 9)
    assert refusal.value.facts["status"] == "6A83"


def test_internal_authentication_gives_the_formulas_answer(session: CardSession, keys: SampleKeys) -> None:
    session.select_sse()
    factor, source = session.factor, bytes(range(8))
    expected = internal_response(keys.algorithm, keys.card_key("IRK"), factor, source)
    assert session.internal_authenticate(factor, source) == expected


def test_a_wrong_key_is_refused_with_the_tries_left(session: CardSession, keys: SampleKeys) -> None:
    with pytest.raises(Refused) as refusal:
        session.external_authenticate("UKSSSE", cryptogram_of(keys, "RKSSSE"))
    assert refusal.value.code is Code.CARD_KEY_REFUSED
    assert str(refusal.value.facts["status"]).startswith("63C")


@pytest.mark.parametrize("secured", [False, True], ids=["authenticated", "secure-messaging"])
def test_an_item_is_written_with_the_files_key_and_no_other(
    session: CardSession, keys: SampleKeys, secured: bool
) -> None:
    with pytest.raises(Refused) as refusal:
        session.update_item("DF01/EF06", "phone", "0898-12345678")
    assert refusal.value.facts["status"] == "6982"
    if secured:
        with pytest.raises(Refused) as refusal:
            session.update_item("DF01/EF06", "phone", "0898-12345678", mac_of=mac_of(keys, "UK1DF01"))
        assert refusal.value.facts["status"] == "9302"
        session.update_item("DF01/EF06", "phone", "0898-12345678", mac_of=mac_of(keys, "UK4DF01"))
    else:
        session.external_authenticate("UK4DF01", cryptogram_of(keys, "UK4DF01"))
        session.update_item("DF01/EF06", "phone", "0898-12345678")
    session.external_authenticate("RK1DF01", cryptogram_of(keys, "RK1DF01"))
    assert session.read("DF01/EF06")["phone"] == "0898-12345678"


def test_transparent_and_cyclic_files_are_written_too(session: CardSession, keys: SampleKeys) -> None:
    session.external_authenticate("UK7DF01", cryptogram_of(keys, "UK7DF01"))
    session.write_transparent("DF01/EF16", b"local use" * 20)
    assert session.read("DF01/EF16").rstrip(b"\0") == b"local use" * 20
    record = session.profile.file("DF02/EF16")
    session.external_authenticate(str(record.write.key), cryptogram_of(keys, str(record.write.key)))
    session.external_authenticate(str(record.read.key), cryptogram_of(keys, str(record.read.key)))
    before = session.read("DF02/EF16")
    session.append_record("DF02/EF16", before[0])
    assert session.read("DF02/EF16") == [before[0], *before]


def test_an_item_that_is_not_in_the_file_is_refused_before_the_card_is_asked(session: CardSession) -> None:
    with pytest.raises(Refused) as refusal:
        session.update_item("DF01/EF06", "phone", "1", index=1)
    assert refusal.value.code is Code.CHIP_ITEM_UNKNOWN


def test_the_initial_pin_opens_nothing_until_it_is_changed(session: CardSession) -> None:
    """Whoever knows the initial PIN of a lost letter could otherwise read the card."""
    with pytest.raises(Refused) as refusal:
        session.verify_pin(INITIAL_PIN)
    assert refusal.value.code is Code.CARD_PIN_INITIAL
    session.change_pin(INITIAL_PIN, "801234")
    session.verify_pin("801234")
    assert session.read("DF01/EF05")["household_region"] == "460106"


def test_a_wrong_pin_counts_down_and_blocks(session: CardSession, keys: SampleKeys) -> None:
    session.change_pin(INITIAL_PIN, "801234")
    for left in (2, 1):
        with pytest.raises(Refused) as refusal:
            session.verify_pin("000000")
        assert refusal.value.code is Code.CARD_PIN_WRONG
        assert refusal.value.facts["left"] == left
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            session.verify_pin("000000")
        assert refusal.value.code is Code.CARD_PIN_BLOCKED
    session.external_authenticate("PUK", cryptogram_of(keys, "PUK"))
    pin = enciphered_pin(keys.algorithm, keys.card_key("PUK"), bytes.fromhex("778899"))
    maintenance.reload_pin(session, pin, mac_of(keys, "STK"))
    session.verify_pin("778899")
    assert session.read("DF01/EF05")["household_region"] == "460106"


def test_an_impossible_pin_never_reaches_the_card(session: CardSession) -> None:
    for pin in ("12", "1234567890123", "12a456"):
        with pytest.raises(Refused) as refusal:
            session.verify_pin(pin)
        assert refusal.value.code is Code.CHIP_PIN_FORM


def test_an_application_is_blocked_and_opened_again(session: CardSession, keys: SampleKeys) -> None:
    session.select("DF01")
    session.external_authenticate("LK", cryptogram_of(keys, "LK"))
    session.select("DF01")
    maintenance.block_application(session, mac_of(keys, "STK"))
    with pytest.raises(Refused) as refusal:
        session.select("DF01")
    assert refusal.value.facts["status"] == "6283"
    session.external_authenticate("LK", cryptogram_of(keys, "LK"))
    session.select("DF01", even_if_blocked=True)
    maintenance.unblock_application(session, mac_of(keys, "STK"))
    session.external_authenticate("RK1DF01", cryptogram_of(keys, "RK1DF01"))
    assert session.read("DF01/EF05")["household_region"] == "460106"


def test_a_blocked_card_answers_nothing_any_more(session: CardSession, keys: SampleKeys) -> None:
    session.external_authenticate("BK", cryptogram_of(keys, "BK"))
    maintenance.block_card(session, mac_of(keys, "STK"))
    session.close()
    session.open()
    with pytest.raises(Refused) as refusal:
        session.select_sse()
    assert refusal.value.facts["status"] == "6A81"


def test_another_card_is_told_apart() -> None:
    class BankCard:
        def power_on(self) -> bytes:
            return bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")

        def power_off(self) -> None:
            return None

        def transmit(self, apdu: bytes) -> bytes:
            return bytes.fromhex("6A82")

    with CardSession(InProcessReader(BankCard())) as session:
        with pytest.raises(Refused) as refusal:
            session.select_sse()
        assert refusal.value.code is Code.CARD_NOT_SOCIAL_SECURITY
        with pytest.raises(Refused):
            session.factor.hex()


def test_a_card_pulled_out_ends_the_session(make_card: MakeCard) -> None:
    reader = InProcessReader(make_card())
    with CardSession(reader) as session:
        session.select_sse()
        reader.remove()
        with pytest.raises(Refused) as refusal:
            session.read_public_identity()
        assert refusal.value.code is Code.READER_CARD_LOST
    with pytest.raises(Refused) as refusal:
        CardSession(reader).open()
    assert refusal.value.code is Code.READER_NO_CARD
