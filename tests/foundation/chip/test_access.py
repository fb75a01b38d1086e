"""Who may read and write what: the truth tables of the notice, over every file of the layout (C1; card.md §2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sheka.foundation.chip import codec
from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.codec import example_values
from sheka.foundation.chip.declarations import FileDeclaration, FileKind, Purpose
from sheka.foundation.chip.secure_messaging import protect
from sheka.foundation.refusals import Code, Refused


def writing(file: FileDeclaration) -> Command:
    """A command that writes an example to a file, selected before."""
    if file.kind is FileKind.TRANSPARENT:
        return Command(0x00, 0xD6, 0, 0, bytes.fromhex(file.example))
    if file.kind is FileKind.CYCLIC:
        return Command(0x00, 0xE2, 0, 0, codec.encode_cyclic(file, example_values(file)))
    return Command(0x00, 0xDC, 1, 0x04, codec.encode_records(file, example_values(file))[0])


@pytest.fixture(params=["2.00", "3.00"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def circumstances() -> Iterator[tuple[bool, bool]]:
    return ((pin, key) for pin in (False, True) for key in (False, True))


@pytest.mark.req("C1")
def test_truth_table_of_reading_for_every_file(insert: Callable, version: str) -> None:
    terminal = insert(everything=True, version=version)
    terminal.use_pin()
    for file in terminal.profile.files:
        rule = file.read_by_version.get(version, file.read)
        for pin, key in circumstances():
            terminal.reset()
            if pin:
                terminal.use_pin()
            assert terminal.select(file.application) == "9000"
            if key and rule.key:
                assert terminal.authenticate(rule.key) == "9000"
            status = terminal.read_first(file.path)
            allowed = rule.free or rule.allows(pin_verified=pin, key_authenticated=key)
            if file.path == "DF04/EF08" and allowed:
                assert status == "6A83"
            else:
                assert status == ("9000" if allowed else "6982"), (file.path, pin, key)


@pytest.mark.req("C1")
def test_the_holders_data_of_a_3_00_card_need_the_read_key(insert: Callable) -> None:
    terminal = insert(version="3.00")
    terminal.select("SSSE/EF05")
    assert terminal.sw("00B207040B") == "9000"
    terminal.select("SSSE/EF06")
    assert terminal.sw("00B2010414") == "6982"
    assert terminal.authenticate("RKSSSE") == "9000"
    terminal.select("SSSE/EF06")
    assert terminal.sw("00B2010414") == "9000"


@pytest.mark.req("C1")
def test_no_file_is_written_without_its_key_and_by_no_other_key(insert: Callable) -> None:
    terminal = insert(everything=True)
    terminal.use_pin()
    for file in terminal.profile.files:
        others = [key.name for key in terminal.profile.keys_of(file.application) if key.purpose is Purpose.UPDATE]
        for name in [None, *others]:
            terminal.reset()
            terminal.use_pin()
            terminal.select(file.application)
            if name:
                assert terminal.authenticate(name) == "9000"
            terminal.select(file.path)
            expected = "9000" if name == file.write.key and name else "6982"
            assert terminal.sw(writing(file)) == expected, (file.path, name)


@pytest.mark.req("C1")
def test_a_mac_under_the_write_key_opens_one_command_and_no_other_key_does(insert: Callable) -> None:
    terminal = insert()
    for file in terminal.profile.files:
        terminal.reset()
        assert terminal.select(file.path) == "9000"
        if file.write.key is None:
            assert terminal.sw(terminal.secured(writing(file), "UK1DF04")) == "6982"
            continue
        command = writing(file)
        assert terminal.sw(command) == "6982"
        assert terminal.sw(terminal.secured(command, file.write.key)) == "9000", file.path
        assert terminal.sw(command) == "6982"
        other = "UK1DF01" if file.write.key != "UK1DF01" else "UK2DF01"
        assert terminal.sw(terminal.secured(command, other)) == "9302", file.path


def test_a_secured_command_works_once_and_only_as_it_was_signed(terminal) -> None:
    terminal.select("DF01/EF08")
    good = terminal.secured(Command(0x00, 0xDC, 1, 0x04, bytes.fromhex("2B0132")), "UK3DF01")
    assert terminal.sw(good) == "9000"
    assert terminal.sw(good) == "6984"
    changed = terminal.secured(Command(0x00, 0xDC, 1, 0x04, bytes.fromhex("2B0132")), "UK3DF01")
    assert terminal.sw(changed.with_data(bytes.fromhex("2B0133") + changed.data[-4:])) == "9302"
    elsewhere = terminal.secured(Command(0x00, 0xDC, 1, 0x04, bytes.fromhex("2B0132")), "UK3DF01")
    assert terminal.sw(Command(0x04, 0xDC, 0x2B, 0x00, elsewhere.data)) == "9302"
    terminal.challenge(4)
    assert terminal.sw("04DC010403112233") == "6987"
    assert terminal.sw(terminal.secured(Command(0x00, 0xDC, 1, 0x04, bytes.fromhex("2B0131")), "UK3DF01")) == "9000"


def test_what_cannot_be_signed_is_not_sent(terminal) -> None:
    long = Command(0x00, 0xD6, 0, 0, bytes(252))
    with pytest.raises(Refused) as refusal:
        terminal.secured(long, "UKSSSE")
    assert refusal.value.code is Code.CHIP_APDU_FORM
    with pytest.raises(Refused) as refusal:
        protect(Command(0x00, 0xD6, 0, 0, b"x"), terminal.algorithm, bytes(4), lambda message, iv: bytes(8))
    assert refusal.value.code is Code.CHIP_FORMULA_INPUT


def test_a_denied_write_leaves_the_record_and_a_granted_one_is_read_back(terminal) -> None:
    terminal.select("DF01")
    assert terminal.authenticate("UK3DF01") == "9000"
    assert terminal.authenticate("RK1DF01") == "9000"
    terminal.select("DF01/EF08")
    assert terminal.raw("00B2010400").data.hex() == "2b0100"
    assert terminal.sw("00DC0104032B0132") == "9000"
    for wrong, status in (("00DC0104032C0131", "6A80"), ("00DC0104042B023131", "6700"), ("00DC0104032B0231", "6700")):
        assert terminal.sw(wrong) == status
    assert terminal.sw("00DC0204032B0131") == "6A83"
    assert terminal.sw("00DC2B00032B0133") == "9000"
    assert terminal.raw("00B2010400").data.hex() == "2b0133"
    terminal.reset()
    terminal.select("DF01")
    terminal.authenticate("RK1DF01")
    terminal.select("DF01/EF08")
    assert terminal.raw("00B2010400").data.hex() == "2b0133"


def test_update_binary_stays_inside_the_file(terminal) -> None:
    terminal.select("DF01")
    terminal.authenticate("UK7DF01")
    terminal.select("DF01/EF16")
    assert terminal.sw("00D6012702AABB") == "6A84"
    assert terminal.sw("00D6012801AA") == "6B00"
    assert terminal.sw("00D60000") == "6700"
    assert terminal.sw("00DC0104022B01") == "6981"
    assert terminal.sw("00E2000001AA") == "6981"
    assert terminal.sw("00D6012701AA") == "9000"
    assert terminal.raw("00B0012601").data.hex() == "00"
    assert terminal.raw("00B0012701").data.hex() == "aa"


def test_cyclic_files_keep_the_newest_records(terminal) -> None:
    terminal.use_pin()
    terminal.select("DF04")
    assert terminal.authenticate("UK2DF04") == "9000"
    terminal.select("DF04/EF15")
    assert terminal.sw("00E2000003000131") == "9000"
    assert terminal.sw("00E20000020001") == "6700"
    assert terminal.sw("00E2010003000131") == "6A86"
    assert terminal.sw("00DC010403000131") == "6981"
    for number in range(2, 12):
        assert terminal.sw(f"00E2000003{number:04X}32") == "9000"
    assert [terminal.raw(f"00B2{n:02X}0400").data[:2].hex() for n in range(1, 9)] == [
        f"{n:04x}" for n in range(11, 3, -1)
    ]
    assert terminal.sw("00B2090400") == "6A83"


@pytest.mark.req("C1")
def test_nobody_writes_the_transaction_log_from_outside(terminal) -> None:
    terminal.use_pin()
    terminal.select("DF04")
    for name in ("UK1DF04", "UK2DF04", "RK1DF04"):
        terminal.authenticate(name)
    terminal.select("DF04/EF08")
    assert terminal.sw(Command(0x00, 0xE2, 0, 0, bytes(28))) == "6982"
    assert terminal.sw(terminal.secured(Command(0x00, 0xE2, 0, 0, bytes(28)), "UK2DF04")) == "6982"


def test_rights_end_with_their_application_and_with_the_power(terminal) -> None:
    terminal.select("SSSE")
    assert terminal.authenticate("UKSSSE") == "9000"
    terminal.select("DF01")
    assert terminal.authenticate("RK1DF01") == "9000"
    terminal.select("DF02")
    terminal.select("DF01")
    assert terminal.read_first("DF01/EF05") == "6982"
    terminal.select("SSSE/EF05")
    assert terminal.sw("00DC020403020132") == "9000"
    terminal.reset()
    terminal.select("SSSE/EF05")
    assert terminal.sw("00DC020403020132") == "6982"
    assert terminal.sw("00A40000023F00").startswith("61")
