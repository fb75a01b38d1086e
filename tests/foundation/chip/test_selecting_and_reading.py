"""SELECT and READ as terminals in the field send them: a deviation here and the card cannot be read at a pharmacy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sheka.foundation.crypto.algorithms import Algorithm

SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"


@pytest.mark.req("H4")
def test_the_reading_that_every_terminal_does(terminal) -> None:
    assert terminal.sw(SSSE).startswith("61")
    assert terminal.sw("00A4000002EF05") == "9000"
    number = terminal.raw("00B207040B")
    assert number.data == bytes.fromhex("0709") + b"X00000019"
    code = terminal.raw("00B2010412")
    assert code.data[:2].hex() == "0110"
    assert len(code.data) == 18
    assert code.data[2:14].hex() == "460100d15600000500000135"


def test_fci_of_the_environment_and_of_applications(terminal) -> None:
    algorithm = f"{int(terminal.algorithm):02x}"
    aid = "7378312e73682ec9e7bbe1b1a3d5cf"
    assert terminal.raw(SSSE + "00").data.hex() == f"6f1c840f{aid}a5098801019f0c038601{algorithm}"
    assert terminal.raw("00A4040006D1560000050300").data.hex() == f"6f138406d15600000503a5098801019f0c038601{algorithm}"
    assert terminal.raw("00A4000002DF0500").data.hex() == f"6f0f8302df05a5098801019f0c038601{algorithm}"
    assert terminal.raw("00A40000023F0000").data.hex().startswith("6f0f83023f00")


def test_answers_wait_for_get_response_and_are_gone_after_another_command(terminal) -> None:
    assert terminal.sw(SSSE) == "611E"
    assert terminal.sw("00C00000FF") == "6C1E"
    first = terminal.raw("00C0000010")
    assert (len(first.data), first.status) == (16, 0x610E)
    rest = terminal.raw("00C000000E")
    assert rest.status == 0x9000
    assert terminal.sw("00C0000000") == "6985"
    terminal.raw(SSSE)
    terminal.raw("0084000008")
    assert terminal.sw("00C0000000") == "6985"
    part = terminal.raw(SSSE + "05")
    assert (len(part.data), part.status) == (5, 0x6119)
    assert first.data + rest.data == terminal.raw(SSSE + "00").data


@pytest.mark.parametrize(
    ("apdus", "status"),
    [
        (["00A4000002DDF1"], "611E"),
        (["00A40000023F00"], "6111"),
        (["00A40000"], "6111"),
        (["00A4000002DDF1", "00A4020002EF05"], "9000"),
        (["00A4000002DDF1", "00A4000002DF03"], "6115"),
        (["00A4000002DDF1", "00A4010002DF03"], "6115"),
        (["00A4000002DDF1", "00A4000002DF03", "00A4000002DF04"], "6115"),
        (["00A4000002DDF1", "00A4000002DF03", "00A4010002DF04"], "6A82"),
        (["00A4040006D15600000502"], "6115"),
        (["00A4040006D15600000509"], "6A82"),
        (["00A4040005D156000005"], "6115"),
        (["00A4040005D156000005", "00A4040205D156000005"], "6115"),
        (["00A4040006D15600000504", "00A4040205D156000005"], "6A82"),
        (["00A4040004D1560000"], "6A82"),
        (["00A4040C06D15600000502"], "9000"),
        (["00A4000002EF05"], "6A82"),
        (["00A4000002DDF1", "00A4000002EF99"], "6A82"),
        (["00A4000002DDF1", "00A4020002DF01"], "6A82"),
        (["00A4030002DDF1"], "6A86"),
        (["00A4000402DDF1"], "6A86"),
        (["00A4000202DDF1"], "6A86"),
        (["00A4000003DDF100"], "6700"),
        (["00A404000E315041592E5359532E4444463031"], "6A82"),
    ],
)
def test_ways_to_select(terminal, apdus: list[str], status: str) -> None:
    assert [terminal.sw(apdu) for apdu in apdus][-1] == status


def test_a_failed_selection_changes_nothing(terminal) -> None:
    terminal.select("SSSE/EF05")
    assert terminal.sw("00A4000002EF99") == "6A82"
    assert terminal.sw("00B207040B") == "9000"


def test_every_record_of_the_public_files_by_number_and_by_tag(terminal) -> None:
    for path in ("SSSE/EF05", "SSSE/EF06"):
        file = terminal.profile.file(path)
        terminal.select(path)
        for number, slot in enumerate(file.slots, 1):
            by_number = terminal.raw(bytes((0x00, 0xB2, number, 0x04, slot.record_bytes)))
            by_tag = terminal.raw(bytes((0x00, 0xB2, slot.tag, 0x00, 0x00)))
            assert by_number.status == by_tag.status == 0x9000
            assert by_number.data == by_tag.data
            assert by_number.data[:2] == bytes((slot.tag, slot.length))


def test_read_by_short_identifier_selects_the_file(terminal) -> None:
    terminal.select("SSSE")
    assert terminal.raw("00B2072C0B").data[:2].hex() == "0709"
    assert terminal.sw("00B2010412") == "9000"
    assert terminal.sw("00B201FC00") == "6A82"


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("00B2010411", "6C12"),
        ("00B2010413", "6C12"),
        ("00B2010400", "9000"),
        ("00B20104", "9000"),
        ("00B2080400", "6A83"),
        ("00B2000400", "6A83"),
        ("00B2990000", "6A83"),
        ("00B2010500", "6A86"),
        ("00B0000010", "6981"),
        ("04B2010400", "6E00"),
        ("00B20104023132", "6700"),
    ],
)
def test_refusals_of_read_record(terminal, apdu: str, status: str) -> None:
    terminal.select("SSSE/EF05")
    assert terminal.sw(apdu) == status


def test_without_a_file_nothing_is_read(terminal) -> None:
    terminal.select("SSSE")
    assert terminal.sw("00B2010400") == "6986"
    assert terminal.sw("00B0000000") == "6986"


def test_repeated_tags_are_walked_with_next_and_previous(insert: Callable) -> None:
    terminal = insert(everything=True)
    terminal.use_pin()
    terminal.select("DF01/EF15")
    assert terminal.sw("00B2400000") == "9000"
    assert [terminal.sw("00B2400200") for _ in range(3)] == ["9000", "9000", "6A83"]
    assert [terminal.sw("00B2400300") for _ in range(3)] == ["9000", "9000", "6A83"]
    assert terminal.sw("00B2400100") == "9000"
    assert terminal.sw("00B2000400") == "9000"
    assert terminal.sw("00B2000200") == "6A83"
    assert terminal.raw("00B2000000").data[0] == 0x2A
    assert terminal.raw("00B2000100").data[0] == 0x40


def test_transparent_files_by_offset_and_short_identifier(insert: Callable) -> None:
    terminal = insert(everything=True)
    terminal.select("SSSE")
    assert terminal.authenticate("RKSSSE") == "9000"
    terminal.select("SSSE/EF08")
    assert terminal.raw("00B0000004").data.hex() == "ffd8ffe0"
    assert terminal.raw("00B0000402").data.hex() == "0010"
    assert len(terminal.raw("00B0000000").data) == 256
    assert terminal.raw("00B0880301").data.hex() == "e0"
    end = terminal.raw("00B00FFE04")
    assert (len(end.data), end.status) == (2, 0x6282)
    assert len(terminal.raw("00B00FFE00").data) == 2
    assert terminal.sw("00B0100001") == "6B00"
    assert terminal.sw("00B0A80001") == "6A86"
    assert terminal.sw("00B2010400") == "6981"


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("00FF0000", "6D00"),
        ("80010000", "6D00"),
        ("10A40000", "6E00"),
        ("FFA40000", "6E00"),
        ("80A4000002DDF1", "6E00"),
        ("00241234", "6E00"),
        ("00", "6700"),
        ("00A4000003DDF1", "6700"),
        ("00A40000FFDDF1", "6700"),
        ("0084000108", "6A86"),
        ("0084000005", "6C08"),
        ("00C0010000", "6A86"),
        ("80CA999900", "6A88"),
        ("80CA010100", "6A88"),
    ],
)
def test_unknown_and_misformed_commands(terminal, apdu: str, status: str) -> None:
    assert terminal.sw(apdu) == status


def test_challenges_have_the_length_asked_for_and_differ(terminal) -> None:
    assert {len(terminal.challenge(n)) for n in (4, 8, 16)} == {4, 8, 16}
    assert len(terminal.raw("0084000000").data) == 8
    assert len({terminal.challenge() for _ in range(50)}) == 50


def test_the_state_object_tells_life_algorithm_and_key_version(terminal) -> None:
    algorithm = Algorithm(terminal.algorithm)
    assert terminal.raw("80CA010200").data == bytes((1, algorithm, 1))
    assert terminal.sw("80CA010201") == "6C03"
