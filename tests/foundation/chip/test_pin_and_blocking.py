"""The holder's PIN, and blocking what was lost (card.md §5, §6): a thief gets three tries, the holder gets back in."""

from __future__ import annotations

import pytest

from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.memory import Life
from sheka.foundation.chip.pins import is_pin, pin_bytes
from sheka.foundation.chip.secure_messaging import enciphered_pin, pin_block, read_pin_block
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused


def unblock(terminal, reload: str | None = None, *, mac: str = "STK") -> str:
    data = b""
    if reload is not None:
        data = enciphered_pin(terminal.algorithm, terminal.keys.card_key("PUK"), bytes.fromhex(reload))
    command = Command(0x80, 0x24, 0, 0 if reload is None else 1, data)
    return terminal.sw(terminal.secured(command, mac))


def block(terminal, ins: int, p2: int = 0, *, mac: str = "STK") -> str:
    return terminal.sw(terminal.secured(Command(0x80, ins, 0, p2), mac))


def test_pin_form(profile) -> None:
    assert pin_bytes(profile.pin, "123456").hex() == "123456"
    assert pin_bytes(profile.pin, "12345").hex() == "12345f"
    assert pin_bytes(profile.pin, "1" * 12) == b"\x11" * 6
    for wrong in ("", "12", "1" * 13, "12a4", "１２３４"):
        with pytest.raises(Refused) as refusal:
            pin_bytes(profile.pin, wrong)
        assert refusal.value.code is Code.CHIP_PIN_FORM
    assert not is_pin(profile.pin, bytes.fromhex("12ff"))
    assert not is_pin(profile.pin, bytes.fromhex("1f34"))


def test_pin_block_is_what_only_pin_block_makes() -> None:
    for algorithm in Algorithm:
        block_ = pin_block(algorithm, bytes.fromhex("123456"))
        assert read_pin_block(block_) == bytes.fromhex("123456")
        assert read_pin_block(block_[:-1] + b"\x01") is None
        assert read_pin_block(bytes(len(block_))) is None
        assert read_pin_block(b"\xff" * len(block_)) is None
        with pytest.raises(Refused):
            pin_block(algorithm, bytes(15))


def test_the_initial_pin_opens_nothing_until_it_is_changed(terminal) -> None:
    terminal.select("SSSE")
    assert terminal.sw("0020000003123456") == "6985"
    terminal.select("DF01")
    assert terminal.read_first("DF01/EF05") == "6982"
    assert terminal.sw("805E010007123456FF123456") == "6A80"
    assert terminal.sw("805E010007123456FF654321") == "9000"
    assert terminal.read_first("DF01/EF05") == "6982"
    assert terminal.sw("0020000003123456") == "63C2"
    assert terminal.sw("0020000003654321") == "9000"
    assert terminal.read_first("DF01/EF05") == "9000"


def test_three_wrong_pins_lock_it_over_resets(terminal) -> None:
    terminal.use_pin()
    assert terminal.sw("00200000") == "9000"
    assert terminal.sw("0020000003000000") == "63C2"
    assert terminal.sw("00200000") == "63C2"
    terminal.reset()
    terminal.select("SSSE")
    assert terminal.sw("805E010007111111FF222222") == "63C1"
    assert terminal.sw("0020000003654321") == "9000"
    for left in (2, 1, 0):
        assert terminal.sw("0020000003000000") == f"63C{left}"
    assert terminal.sw("0020000003654321") == "6983"
    assert terminal.sw("00200000") == "6983"
    assert terminal.sw("805E010007654321FF222222") == "6983"


@pytest.mark.parametrize("data", ["0112", "07" + "11" * 7, "03123A56", "0312F456"])
def test_what_has_no_pins_form_is_a_wrong_pin(terminal, data: str) -> None:
    terminal.select("SSSE")
    assert terminal.sw("00200000" + data) == "63C2"


@pytest.mark.parametrize("data", ["06123456654321", "07123456FF12345A", "04123456FF", "05123456FF12"])
def test_a_new_pin_without_a_pins_form_is_refused_and_costs_no_try(terminal, data: str) -> None:
    terminal.select("SSSE")
    assert terminal.sw("805E0100" + data) == "6A80"
    assert terminal.sw("00200000") == "63C3"


def test_pins_of_other_lengths(terminal) -> None:
    terminal.select("SSSE")
    assert terminal.sw("805E01000A123456FF112233445566") == "9000"
    assert terminal.sw("0020000006112233445566") == "9000"
    assert terminal.sw("805E01000A112233445566FF12345F") == "9000"
    assert terminal.sw("002000000312345F") == "9000"


def test_the_pin_is_known_in_the_environment_only(terminal) -> None:
    terminal.sw("00A40000023F00")
    assert terminal.sw("0020000003123456") == "6A88"
    assert terminal.sw("805E010007123456FF654321") == "6A88"
    terminal.select("DF01")
    assert terminal.sw("0020010003123456") == "6A86"
    assert terminal.sw("805E000007123456FF654321") == "6A86"


def test_unblocking_needs_the_provinces_key_and_the_ministrys_mac(terminal) -> None:
    terminal.use_pin()
    for _ in range(3):
        terminal.sw("0020000003000000")
    assert unblock(terminal) == "6982"
    assert terminal.authenticate("PUK") == "9000"
    assert unblock(terminal, mac="PUK") == "9302"
    assert unblock(terminal) == "9000"
    assert terminal.sw("0020000003654321") == "9000"
    assert terminal.sw(terminal.secured(Command(0x80, 0x24, 0, 0, b"x"), "STK")) == "6700"
    assert terminal.sw(terminal.secured(Command(0x80, 0x24, 0, 2), "STK")) == "6A86"
    assert terminal.sw("80240000") == "6E00"


def test_a_reloaded_pin_takes_the_place_of_a_forgotten_one(terminal) -> None:
    terminal.use_pin()
    for _ in range(3):
        terminal.sw("0020000003000000")
    terminal.authenticate("PUK")
    assert unblock(terminal, "778899") == "9000"
    assert terminal.sw("00200000") == "63C3"
    assert terminal.sw("0020000003654321") == "63C2"
    assert terminal.sw("0020000003778899") == "9000"
    assert terminal.sw(terminal.secured(Command(0x80, 0x24, 0, 1, bytes(24)), "STK")) == "6700"
    garbled = terminal.secured(
        Command(0x80, 0x24, 0, 1, bytes(8 if terminal.algorithm is Algorithm.TDES else 16)), "STK"
    )
    assert terminal.sw(garbled) == "6A80"


def test_a_blocked_application_says_so_and_opens_again(terminal) -> None:
    terminal.use_pin()
    terminal.select("DF04")
    assert block(terminal, 0x1E) == "6982"
    assert terminal.authenticate("LK") == "9000"
    assert block(terminal, 0x18) == "6985"
    assert block(terminal, 0x1E, mac="LK") == "9302"
    assert block(terminal, 0x1E, 7) == "6A86"
    assert terminal.sw(terminal.secured(Command(0x80, 0x1E, 0, 0, b"x"), "STK")) == "6700"
    assert block(terminal, 0x1E) == "9000"
    assert terminal.sw("00A4040006D15600000503") == "6283"
    assert terminal.raw("00A4040006D1560000050300").data[:2].hex() == "6f13"
    terminal.sw("00A4020002EF05")
    assert terminal.sw("00B2010400") == "6985"
    assert terminal.select("DF01") == "9000"
    terminal.reset()
    terminal.sw("00A4000002DF04")
    assert block(terminal, 0x18) == "6982"
    assert terminal.authenticate("LK") == "9000"
    assert block(terminal, 0x18) == "9000"
    assert terminal.select("DF04") == "9000"


def test_a_block_of_the_environment_holds_for_all_below(terminal) -> None:
    terminal.select("SSSE")
    terminal.authenticate("LK")
    assert block(terminal, 0x1E) == "9000"
    for name in ("SSSE", "DF01", "DF07"):
        assert terminal.select(name) == "6283"
        assert terminal.sw("0020000003123456") == "6985"
    terminal.select("DF01")
    terminal.authenticate("LK")
    assert block(terminal, 0x18) == "6985"
    terminal.select("SSSE")
    terminal.authenticate("LK")
    assert block(terminal, 0x18) == "9000"
    assert terminal.select("DF01") == "9000"


def test_an_application_locked_for_good_cannot_be_selected_again(terminal) -> None:
    terminal.select("DF02")
    terminal.authenticate("LK")
    assert block(terminal, 0x1E, 1) == "9000"
    assert terminal.sw("00A4000002DF02") == "9303"
    terminal.sw("00A4020002EF05")
    assert terminal.sw("00B2010400") == "9303"
    terminal.authenticate("LK")
    assert block(terminal, 0x18) == "6985"
    assert block(terminal, 0x1E) == "9000"
    terminal.reset()
    assert terminal.sw("00A4040006D15600000501") == "9303"
    assert terminal.select("DF01") == "9000"


def test_a_blocked_card_is_dead_for_good(terminal) -> None:
    terminal.select("SSSE")
    assert block(terminal, 0x16) == "6982"
    terminal.authenticate("LK")
    assert block(terminal, 0x16) == "6982"
    terminal.authenticate("BK")
    assert block(terminal, 0x16) == "9000"
    for _ in range(2):
        for apdu in ("00A4000002DDF1", "0084000008", "00B2010400", "0020000003123456", "00C0000000"):
            assert terminal.sw(apdu) == "6A81"
        assert terminal.sw("00FF0000") == "6D00"
        terminal.reset()
        assert terminal.atr.startswith(bytes.fromhex("3B6D0000"))
    assert terminal.card.life is Life.BLOCKED


def test_nothing_is_blocked_outside_an_application(terminal) -> None:
    terminal.sw("00A40000023F00")
    assert block(terminal, 0x16) == "6985"
    assert block(terminal, 0x1E) == "6985"
