"""The codec: what a terminal sends is what the switch reads, and nothing else passes."""

from __future__ import annotations

import iso8583
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.foundation.iso8583 import carries_mac, decode, encode, mac_field
from sheka.foundation.iso8583.codec import _decode_slowly, _known_plan
from sheka.foundation.iso8583.dictionary import checks, fields, kinds, processing_of
from sheka.foundation.refusals import Code, Refused

ALPHABET = {
    "n": "0123456789",
    "an": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "ans": "".join(map(chr, range(0x20, 0x7F))),
    "z": "0123456789D=",
}
PURCHASE = {
    3: "000000",
    4: "000000001234",
    7: "1121093000",
    11: "000001",
    12: "093000",
    13: "1121",
    19: "156",
    37: "000000000001",
    41: "460100000001",
    42: "H46010000001   ",
    49: "156",
    55: bytes.fromhex("9F260411223344"),
    60: "310",
    62: "D2143569X",
    64: bytes(8),
}


def value_of(field) -> st.SearchStrategy:
    least = 0 if field.prefix else field.length
    if field.is_binary:
        return st.binary(min_size=least, max_size=field.length)
    return st.text(ALPHABET[field.format], min_size=least, max_size=field.length)


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, dict[int, str | bytes]]:
    numbers = draw(st.lists(st.sampled_from(sorted(fields())), unique=True, max_size=24))
    return draw(st.text("0123456789", min_size=4, max_size=4)), {n: draw(value_of(fields()[n])) for n in numbers}


def peer_spec() -> dict[str, dict[str, object]]:
    """The same dictionary as pyiso8583 wants it."""
    fixed = {"len_enc": "ascii", "len_type": 0}
    spec: dict[str, dict[str, object]] = {
        "h": {"data_enc": "b", "max_len": 0, "desc": "header", **fixed},
        "t": {"data_enc": "ascii", "max_len": 4, "desc": "type", **fixed},
        "p": {"data_enc": "b", "max_len": 8, "desc": "bitmap", **fixed},
        "1": {"data_enc": "b", "max_len": 8, "desc": "second bitmap", **fixed},
    }
    for field in fields().values():
        spec[str(field.number)] = {
            "data_enc": "b" if field.is_binary else "ascii",
            "len_enc": "ascii",
            "len_type": field.prefix,
            "max_len": field.length,
            "desc": field.name,
        }
    return spec


SPEC = peer_spec()


def by_peer(data: bytes) -> tuple[str, dict[int, str | bytes]]:
    decoded, _ = iso8583.decode(data, SPEC)
    found = {int(key): value for key, value in decoded.items() if key.isdigit() and key != "1"}
    return decoded["t"], {n: bytes.fromhex(v) if fields()[n].is_binary else v for n, v in found.items()}


@pytest.mark.req("S4")
@settings(max_examples=150, deadline=None)
@given(messages())
def test_what_is_encoded_is_decoded_and_a_public_codec_agrees_both_ways(message) -> None:
    kind, values = message
    data = encode(kind, values)
    assert decode(data) == (kind, values)
    assert by_peer(data) == (kind, values)
    peer_form = {str(n): v.hex().upper() if isinstance(v, bytes) else v for n, v in values.items()}
    assert iso8583.encode({"t": kind, **peer_form}, SPEC)[0] == data


@settings(max_examples=300, deadline=None)
@given(messages(), st.data())
def test_a_damaged_message_is_refused_or_read_as_the_public_codec_reads_it(message, data) -> None:
    raw = bytearray(encode(*message))
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(0, len(raw) - 1))
        raw[where] = data.draw(st.integers(0, 255))
    damaged = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    try:
        ours = decode(damaged)
    except Refused:
        return
    assert by_peer(damaged) == ours


@pytest.mark.req("S4")
@settings(max_examples=300, deadline=None)
@given(messages(), st.data())
def test_what_only_the_public_codec_reads_has_a_value_that_the_dictionary_forbids(message, data) -> None:
    """The other direction: nothing that both could read is refused by ours."""
    raw = bytearray(encode(*message))
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(0, len(raw) - 1))
        raw[where] = data.draw(st.integers(0, 255))
    damaged = bytes(raw)
    try:
        kind, values = by_peer(damaged)
    except (iso8583.DecodeError, KeyError, ValueError):
        with pytest.raises(Refused):
            decode(damaged)
        return
    allowed = all(checks()[n].fullmatch(v) for n, v in values.items() if isinstance(v, str))
    if allowed and kind.isascii() and kind.isdigit():
        assert decode(damaged) == (kind, values)
    else:
        with pytest.raises(Refused):
            decode(damaged)


@settings(max_examples=200, deadline=None)
@given(messages())
def test_the_plan_of_a_bitmap_reads_like_the_slow_way(message) -> None:
    data = encode(*message)
    for _ in range(5):
        assert decode(data) == _decode_slowly(data)


def test_a_bitmap_that_comes_often_gets_a_plan() -> None:
    data = encode("0200", PURCHASE)
    for _ in range(5):
        decode(data)
    assert _known_plan(data[4:12]) is not None
    broken = data.replace(b"000000001234", b"00000000x234")
    with pytest.raises(Refused) as refusal:
        decode(broken)
    assert refusal.value.facts["field"] == 4


@pytest.mark.req("S4")
@pytest.mark.parametrize(
    ("number", "value"),
    [
        (4, "12"),
        (4, "00000000123x"),
        (4, "²" * 12),
        (4, b"000000001234"),
        (62, "D2143569X1"),
        (64, bytes(7)),
        (64, "0" * 8),
    ],
)
def test_a_wrong_value_is_refused_and_the_field_is_named(number, value) -> None:
    with pytest.raises(Refused) as refusal:
        encode("0200", {**PURCHASE, number: value})
    assert refusal.value.code is Code.FIELD_INVALID
    assert refusal.value.facts["field"] == number
    assert fields()[number].name in str(refusal.value)


def test_two_fields_that_are_wrong_together_do_not_pass_as_right() -> None:
    with pytest.raises(Refused) as refusal:
        encode("0200", {**PURCHASE, 11: "00001", 12: "1093000"})
    assert refusal.value.facts["field"] == 11


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.MESSAGE_TOO_SHORT),
        (b"0200" + bytes(7), Code.MESSAGE_TOO_SHORT),
        (b"0200\x80" + bytes(8), Code.MESSAGE_TOO_SHORT),
        (b"02x0" + bytes(8), Code.MESSAGE_TYPE_INVALID),
        (b"0200" + bytes(8) + b"1", Code.MESSAGE_TOO_LONG),
        (b"0200" + (1 << 64 - 5).to_bytes(8), Code.FIELD_NOT_IN_DICTIONARY),
        (b"0200" + (1 << 64 - 2).to_bytes(8) + b"20" + b"1" * 20, Code.FIELD_INVALID),
        (b"0200" + (1 << 64 - 3).to_bytes(8) + b"0000", Code.FIELD_INVALID),
    ],
)
def test_what_is_not_a_message_is_refused_by_its_number(data, code) -> None:
    for _ in range(6):
        with pytest.raises(Refused) as refusal:
            decode(data)
        assert refusal.value.code is code


def test_a_field_that_the_dictionary_lacks_cannot_be_sent() -> None:
    with pytest.raises(Refused) as refusal:
        encode("0200", {5: "1"})
    assert refusal.value.code is Code.FIELD_NOT_IN_DICTIONARY
    with pytest.raises(Refused):
        encode("200", {})


def test_the_mac_is_the_last_field() -> None:
    assert carries_mac(encode("0200", PURCHASE))
    assert not carries_mac(encode("0200", {n: v for n, v in PURCHASE.items() if n != 64}))
    assert mac_field(PURCHASE) == 64
    reversal = {n: v for n, v in PURCHASE.items() if n != 64} | {90: "0" * 42}
    assert mac_field(reversal) == 128
    assert not carries_mac(encode("0400", reversal))
    assert carries_mac(encode("0400", reversal | {128: bytes(8)}))
    assert not carries_mac(b"0200")


def test_every_kind_of_request_uses_fields_of_the_dictionary() -> None:
    assert ("0200", "00") in kinds()
    for kind in kinds().values():
        assert set(kind.fields) <= set(fields())
        assert list(kind.fields) == sorted(kind.fields)


def test_what_is_about_pre_authorised_money_has_a_processing_of_its_own() -> None:
    assert processing_of({3: "000000"}) == processing_of({3: "000000", 25: "00"}) == "00"
    assert processing_of({3: "030000", 25: "06"}) == "0306"
    assert processing_of({}) == ""
    repeats = {(kind[:3] + "0", code) for kind, code in kinds() if kind[3] == "1"}
    assert repeats <= kinds().keys()
    assert kinds()["0101", "0306"].name == "pre-authorisation repeat"
