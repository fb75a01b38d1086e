"""Items to card bytes and back: a value cut or changed on the way would be printed or paid wrongly (design §2.7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.foundation.chip import codec
from sheka.foundation.chip.declarations import Encoding, FileDeclaration, FileKind, Format, Item
from sheka.foundation.chip.names import join_name, split_name
from sheka.foundation.chip.profile import CardProfile, load_profile
from sheka.foundation.refusals import Code, Refused


def every_item(profile: CardProfile) -> list[tuple[FileDeclaration, Item]]:
    items = [(file, item) for file in profile.files for item in file.items]
    return items + [(file, part) for file, item in items for part in item.parts]


def item(encoding: Encoding, length: int, **more: Any) -> Item:
    return Item("x", 0x01, encoding, length, "项", "item", **more)


def refusal_of(call: Any) -> Code:
    with pytest.raises(Refused) as refusal:
        call()
    return refusal.value.code


@pytest.mark.req("I6")
def test_every_declared_item_encodes_its_example_and_gives_it_back(profile: CardProfile) -> None:
    walked = every_item(profile)
    assert len(walked) > 130
    for file, declared in walked:
        value = codec.example_value(declared)
        assert value, f"{file.path} {declared.name} has no example"
        data = codec.encode_item(declared, value)
        assert len(data) == declared.length, f"{file.path} {declared.name}"
        assert codec.decode_item(declared, data) == value
        blank = codec.decode_item(declared, codec.blank_item(declared))
        assert codec.encode_item(declared, blank) == codec.blank_item(declared)


def test_every_declared_file_encodes_and_decodes_its_example(profile: CardProfile) -> None:
    for file in profile.files:
        if file.kind is FileKind.TRANSPARENT:
            content = bytes.fromhex(file.example)
            assert codec.encode_transparent(file, content) == content.ljust(file.size, b"\0")
            assert content, file.path
        elif file.kind is FileKind.CYCLIC:
            values = codec.example_values(file)
            record = codec.encode_cyclic(file, values)
            assert len(record) == file.size
            assert codec.decode_cyclic(file, record) == values
        else:
            values = codec.example_values(file)
            records = codec.encode_records(file, values)
            assert [record[0] for record in records] == [slot.tag for slot in file.slots]
            assert all(len(record) == record[1] + 2 for record in records)
            assert codec.decode_records(file, records) == values


def test_blank_files_decode_to_nothing(profile: CardProfile) -> None:
    file = profile.file("DF01/EF15")
    assert codec.decode_records(file, codec.encode_records(file, {})) == {"education": "", "degree": []}
    issuer = codec.decode_records(profile.file("SSSE/EF05"), codec.encode_records(profile.file("SSSE/EF05"), {}))
    assert set(issuer.values()) == {""}


def test_the_bytes_of_each_encoding() -> None:
    assert codec.encode_item(item(Encoding.AN, 6), "张三") == bytes.fromhex("D5C5C8FD0000")
    assert codec.encode_item(item(Encoding.GB18030, 6), "𠮷") == "𠮷".encode("gb18030") + b"\0\0"
    assert codec.encode_item(item(Encoding.CN, 3), "46010") == bytes.fromhex("46010F")
    assert codec.encode_item(item(Encoding.CN, 3), "") == b"\xff\xff\xff"
    assert codec.encode_item(item(Encoding.B, 2), b"\x00\x07") == b"\x00\x07"
    constructed = item(
        Encoding.CONSTRUCTED,
        8,
        parts=(Item("a", 0x57, Encoding.AN, 2, "", ""), Item("b", 0x58, Encoding.CN, 2, "", "")),
    )
    assert codec.encode_item(constructed, {"a": "1"}) == bytes.fromhex("57023100 5802FFFF")
    assert codec.decode_item(constructed, bytes.fromhex("57023100 5802FFFF")) == {"a": "1", "b": ""}


@pytest.mark.parametrize(
    ("declared", "value", "code"),
    [
        (item(Encoding.AN, 4), "张三丰", Code.CHIP_ITEM_TOO_LONG),
        (item(Encoding.AN, 4), "𠮷", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.AN, 4), "a\0", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.AN, 4), b"ab", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.AN, 1, values=("1", "2", "9")), "3", Code.CHIP_ITEM_VALUE),
        (item(Encoding.GB18030, 4), "\ud800", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.GB18030, 4), "𠮷x", Code.CHIP_ITEM_TOO_LONG),
        (item(Encoding.CN, 2), b"12", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.CN, 2), "12345", Code.CHIP_ITEM_TOO_LONG),
        (item(Encoding.CN, 2), "12a", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.CN, 2), "１２", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.CN, 2), "-1", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.CN, 2, format=Format.HEX), "12A", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.CN, 2, format=Format.HEX), "12AG", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.CN, 2, format=Format.HEX), "12AB3", Code.CHIP_ITEM_TOO_LONG),
        (item(Encoding.CN, 4, format=Format.DATE), "20260230", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.CN, 4, format=Format.DATE), "202602", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.CN, 7, format=Format.TIME), "20260101246000", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.CN, 1, format=Format.ETHNIC_GROUP), "57", Code.CHIP_ITEM_VALUE),
        (item(Encoding.CN, 1, format=Format.ETHNIC_GROUP), "1", Code.CHIP_ITEM_VALUE),
        (item(Encoding.B, 2), b"\x01", Code.CHIP_ITEM_NOT_ENCODABLE),
        (item(Encoding.B, 2), b"\x01\x02\x03", Code.CHIP_ITEM_TOO_LONG),
        (item(Encoding.B, 2), "01", Code.CHIP_ITEM_NOT_ENCODABLE),
        (
            item(Encoding.CONSTRUCTED, 3, parts=(Item("a", 1, Encoding.AN, 1, "", ""),)),
            {"b": "1"},
            Code.CHIP_ITEM_UNKNOWN,
        ),
        (
            item(Encoding.CONSTRUCTED, 3, parts=(Item("a", 1, Encoding.AN, 1, "", ""),)),
            "1",
            Code.CHIP_ITEM_NOT_ENCODABLE,
        ),
    ],
)
def test_what_does_not_fit_or_cannot_be_written_is_refused_and_never_cut(
    declared: Item, value: Any, code: Code
) -> None:
    assert refusal_of(lambda: codec.encode_item(declared, value)) is code


@pytest.mark.parametrize(
    ("declared", "data"),
    [
        (item(Encoding.AN, 2), b"\xff\xff"),
        (item(Encoding.AN, 3), b"a\0b"),
        (item(Encoding.AN, 2), b"a"),
        (item(Encoding.CN, 2), b"\x12\xa4"),
        (item(Encoding.CN, 2), b"\xf1\x23"),
        (item(Encoding.CONSTRUCTED, 3, parts=(Item("a", 1, Encoding.AN, 1, "", ""),)), b"\x02\x01\x31"),
        (item(Encoding.CONSTRUCTED, 3, parts=(Item("a", 1, Encoding.AN, 1, "", ""),)), b"\x01\x02\x31"),
    ],
)
def test_bytes_that_are_not_in_the_encoding_are_not_guessed_at(declared: Item, data: bytes) -> None:
    assert refusal_of(lambda: codec.decode_item(declared, data)) is Code.CHIP_ITEM_NOT_DECODABLE


def test_reading_accepts_a_value_outside_its_code_list() -> None:
    assert codec.decode_item(item(Encoding.AN, 1, values=("1", "2")), b"7") == "7"
    assert codec.decode_item(item(Encoding.CN, 4, format=Format.DATE), bytes.fromhex("20260000")) == "20260000"


def test_records_in_the_wrong_place_or_shape_are_refused(profile: CardProfile) -> None:
    file, ring = profile.file("SSSE/EF05"), profile.file("DF04/EF08")
    records = codec.encode_records(file, {"card_class": "3"})
    assert codec.decode_record(file, records[1]) == (file.slots[1], "3")
    swapped = [records[0], records[2], records[1], *records[3:]]
    for wrong in (
        lambda: codec.decode_records(file, swapped),
        lambda: codec.decode_records(file, records[:-1]),
        lambda: codec.decode_record(file, b"\x02\x02\x33"),
        lambda: codec.decode_record(file, b"\x99\x01\x33"),
        lambda: codec.decode_record(file, b""),
        lambda: codec.decode_cyclic(ring, bytes(27)),
        lambda: codec.encode_cyclic(ring, {"sequence": b"\0\1"}),
    ):
        assert refusal_of(wrong) is Code.CHIP_RECORD_FORM
    assert refusal_of(lambda: codec.encode_records(file, {"nickname": "三"})) is Code.CHIP_ITEM_UNKNOWN
    degree = profile.file("DF01/EF15")
    assert refusal_of(lambda: codec.encode_records(degree, {"degree": [{}] * 4})) is Code.CHIP_ITEM_COUNT
    assert refusal_of(lambda: codec.encode_records(degree, {"degree": {}})) is Code.CHIP_ITEM_NOT_ENCODABLE
    photo = profile.file("SSSE/EF08")
    assert refusal_of(lambda: codec.encode_transparent(photo, bytes(4097))) is Code.CHIP_ITEM_TOO_LONG


def texts(codec_name: str) -> st.SearchStrategy[str]:
    return st.text(st.characters(codec=codec_name, exclude_characters="\0"), max_size=24)


@settings(max_examples=150)
@given(st.sampled_from([item(Encoding.AN, 40), item(Encoding.GB18030, 60)]), st.data())
def test_any_text_comes_back_whole_or_is_refused(declared: Item, data: st.DataObject) -> None:
    value = data.draw(texts("gbk" if declared.encoding is Encoding.AN else "gb18030"))
    try:
        encoded = codec.encode_item(declared, value)
    except Refused as refused:
        assert refused.code is Code.CHIP_ITEM_TOO_LONG
        return
    assert codec.decode_item(declared, encoded) == value


@settings(max_examples=100)
@given(st.integers(1, 16), st.text("0123456789", max_size=32))
def test_any_digits_come_back_whole_or_are_refused(length: int, value: str) -> None:
    declared = item(Encoding.CN, length)
    if len(value) > 2 * length:
        assert refusal_of(lambda: codec.encode_item(declared, value)) is Code.CHIP_ITEM_TOO_LONG
    else:
        assert codec.decode_item(declared, codec.encode_item(declared, value)) == value


@settings(max_examples=100)
@given(st.sampled_from([i for _, i in every_item(load_profile())]), st.data())
def test_bytes_of_any_card_decode_or_are_refused(declared: Item, data: st.DataObject) -> None:
    raw = data.draw(st.binary(min_size=declared.length, max_size=declared.length))
    try:
        value = codec.decode_item(declared, raw)
    except Refused as refused:
        assert refused.code is Code.CHIP_ITEM_NOT_DECODABLE
        return
    assert isinstance(value, str | bytes | dict)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("张三", ("张三", "")),
        ("㐂𠮷", ("", "㐂𠮷")),
        ("张𠮷三", ("张", "𠮷三")),
        ("阿卜杜热合曼·阿卜杜克热木江·买", ("阿卜杜热合曼·阿卜杜克热木江·", "买")),
    ],
)
def test_a_name_with_rare_characters_or_of_great_length_survives_whole(
    profile: CardProfile, name: str, split: tuple[str, str]
) -> None:
    head, rest = split_name(name)
    if len(name) < 5:
        assert (head, rest) == split
    file = profile.file("SSSE/EF06")
    records = codec.encode_records(file, {"name": head, "name_extension": rest})
    read = codec.decode_records(file, records)
    assert join_name(read["name"], read["name_extension"]) == name


@settings(max_examples=150)
@given(st.text(st.characters(codec="gb18030", exclude_characters="\0"), max_size=30))
def test_a_name_is_split_without_loss_or_refused(name: str) -> None:
    try:
        head, rest = split_name(name)
    except Refused as refused:
        assert refused.code is Code.CHIP_ITEM_TOO_LONG
        return
    assert head + rest == name
    assert len(head.encode("gbk")) <= 30
    assert len(rest.encode("gb18030")) <= 20


def test_a_name_that_no_card_can_hold_is_refused() -> None:
    assert refusal_of(lambda: split_name("张" * 40)) is Code.CHIP_ITEM_TOO_LONG
    assert refusal_of(lambda: split_name("张\ud800")) is Code.CHIP_ITEM_NOT_ENCODABLE
