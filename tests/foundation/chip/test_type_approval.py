"""The checks that a type approval makes of a finished card (card.md §5), on a card with every file filled (I6, H4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sheka.foundation.chip.codec import decode_cyclic, decode_record, decode_records
from sheka.foundation.chip.declarations import Encoding, FileKind


@pytest.fixture
def full(insert: Callable[..., Any]) -> Any:
    """A terminal with a card whose every file is filled and whose every read key and PIN were presented as needed."""
    return insert(everything=True)


def open_application(terminal: Any, name: str) -> None:
    """Select an application with all that its files ask for."""
    terminal.use_pin()
    terminal.select(name)
    for file in terminal.profile.application(name).files:
        if file.read.key:
            assert terminal.authenticate(file.read.key) == "9000"


@pytest.mark.req("I6")
def test_all_applications_and_files_are_present_and_no_others(full: Any) -> None:
    declared = {(file.application, file.fid) for file in full.profile.files}
    for application in full.profile.applications:
        assert full.select(application.name) == "9000"
        for low in range(256):
            fid = bytes((0xEF, low))
            status = full.sw(b"\x00\xa4\x02\x00\x02" + fid)
            assert status == ("9000" if (application.name, fid) in declared else "6A82"), (application.name, fid.hex())
    for number in range(8, 16):
        assert full.sw(f"00A4000002DF{number:02X}") == "6A82"


@pytest.mark.req("I6")
def test_linear_records_are_tlv_with_the_tags_and_lengths_of_the_notice(full: Any) -> None:
    for file in full.profile.files:
        if not file.kind.has_tlv_records:
            continue
        open_application(full, file.application)
        full.select(file.path)
        records = []
        for number, slot in enumerate(file.slots, 1):
            answer = full.raw(bytes((0x00, 0xB2, number, 0x04, slot.record_bytes)))
            assert answer.status == 0x9000, (file.path, number)
            assert answer.data[:2] == bytes((slot.tag, slot.length))
            assert decode_record(file, answer.data)[0] is slot
            records.append(answer.data)
        assert full.sw(bytes((0x00, 0xB2, len(records) + 1, 0x04, 0x00))) == "6A83", "an extra record"
        values = decode_records(file, records)
        assert all(values[item.name] for item in file.items if item.name != "name_extension"), file.path


def test_constructed_records_hold_their_parts_in_order(full: Any) -> None:
    for file in full.profile.files:
        for number, slot in enumerate(file.slots, 1):
            if slot.encoding is not Encoding.CONSTRUCTED:
                continue
            open_application(full, file.application)
            full.select(file.path)
            value = full.raw(bytes((0x00, 0xB2, number, 0x04, 0x00))).data[2:]
            at = 0
            for part in slot.parts:
                assert value[at : at + 2] == bytes((part.tag, part.length))
                at += part.record_bytes
            assert at == len(value) == slot.length


def test_cyclic_records_have_no_tags_and_a_fixed_length(full: Any) -> None:
    for file in full.profile.files:
        if file.kind is FileKind.CYCLIC and not file.write.card_only:
            open_application(full, file.application)
            full.select(file.path)
            record = full.raw("00B2010400").data
            assert len(record) == file.size
            assert set(decode_cyclic(file, record)) == {item.name for item in file.items}


@pytest.mark.req("I3")
def test_issuer_data_agree_with_one_another_and_with_the_atr(full: Any) -> None:
    full.select("SSSE/EF05")
    file = full.profile.file("SSSE/EF05")
    values = decode_records(file, [full.raw(bytes((0x00, 0xB2, n, 0x04, 0x00))).data for n in range(1, 8)])
    code, historical = values["identification_code"], full.atr[4:]
    assert code[6:16] == "D156000005"
    assert code[16:24] == historical[9:13].hex()
    assert code[:2] == historical[7:9].hex()[:2]
    assert values["specification_version"] == "2.00"
    organisation = values["initialising_organisation"]
    assert organisation[:10] == "9156000002"
    assert organisation[10:12] == code[:2]
    assert organisation[16:22] == code[:6]
    assert values["issue_date"] < values["expiry_date"]


def test_the_environment_gains_no_record(full: Any) -> None:
    full.select("SSSE")
    assert full.authenticate("UKSSSE") == "9000"
    for path in ("SSSE/EF05", "SSSE/EF06"):
        full.select(path)
        assert full.sw("00DC080403990141") == "6A83"
        assert full.sw("00E2000003990141") == "6981"
        assert full.sw("00DC010403990141") == "6A80"
