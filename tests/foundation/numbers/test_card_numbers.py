"""Card number, identification code, issuer, initialiser, terminal: written once and read for years."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.numbers import (
    CardIdentificationCode,
    CardNumber,
    InitialisingOrganisation,
    IssuerIdentificationNumber,
    TerminalNumber,
    card_number,
    terminal_number,
)
from sheka.foundation.refusals import Code, Refused

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
regions = st.integers(100000, 999999).map(str)
card_numbers = st.builds(
    lambda district, serial: card_number(district + serial),
    st.sampled_from(LETTERS),
    st.text("0123456789", min_size=7, max_size=7),
)
any_card_numbers = st.builds(
    lambda district, serial: card_number(district + serial),
    st.sampled_from(LETTERS),
    st.text("0123456789" + LETTERS, min_size=7, max_size=7),
)


@pytest.mark.parametrize("text", ["D2143569X", "ET000077X", "X00000019"])
def test_official_examples(text: str) -> None:
    number = CardNumber.parse(text)
    assert (number.text, number.district, number.serial) == (text, text[0], text[1:8])
    assert card_number(text[:8]) == number
    assert number.bytes == text.encode()


@given(any_card_numbers)
def test_generated_card_numbers_parse(number: CardNumber) -> None:
    assert CardNumber.parse(number.text.lower()) == number


@given(card_numbers, st.integers(1, 8), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_always_found(number: CardNumber, place: int, wrong: str) -> None:
    text = number.text[:place] + wrong + number.text[place + 1 :]
    if text != number.text:
        with pytest.raises(Refused) as caught:
            CardNumber.parse(text)
        assert caught.value.code is Code.NUMBER_CHECK


@given(card_numbers, st.integers(1, 7))
def test_two_swapped_digits_are_always_found(number: CardNumber, place: int) -> None:
    text = number.text
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    letter_x_in_front = swapped[8] != text[8] and text[8] == "X"  # X counts 10 as a check character, 33 as a letter
    if swapped != text and not letter_x_in_front:
        with pytest.raises(Refused):
            CardNumber.parse(swapped)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("D2143569", Code.NUMBER_LENGTH),
        ("D2143569XX", Code.NUMBER_LENGTH),
        ("12143569X", Code.NUMBER_DISTRICT),
        ("D21435-9X", Code.NUMBER_CHARACTER),
        ("D2143569Y", Code.NUMBER_CHARACTER),
        ("D21435691", Code.NUMBER_CHECK),
        ("社2143569X", Code.NUMBER_DISTRICT),
    ],
)
def test_card_number_refusals(text: str, code: Code, refused_by: Any) -> None:
    with refused_by(code):
        CardNumber.parse(text)


def test_card_identification_code_of_the_card_notes() -> None:
    text = "460100D156000005000001357A48FB49"
    code = CardIdentificationCode.parse(text)
    assert (code.region, code.serial.hex(), code.authentication_code.hex()) == ("460100", "00000135", "7a48fb49")
    assert code.text == text == str(code)
    assert code.bytes == bytes.fromhex(text) and code.signed_part == bytes.fromhex(text[:24])
    assert CardIdentificationCode.part_to_sign("460100", 135) == code.signed_part
    assert CardIdentificationCode.make("460100", 135, code.authentication_code) == code


@given(regions, st.integers(0, 99_999_999), st.binary(min_size=4, max_size=4))
def test_card_identification_code_there_and_back(region: str, serial: int, mac: bytes) -> None:
    code = CardIdentificationCode.make(region, serial, mac)
    assert len(code.bytes) == 16
    assert CardIdentificationCode.parse(code.bytes) == CardIdentificationCode.parse(code.text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("460100D156000005000001357A48FB", Code.NUMBER_LENGTH),
        ("460100D156000005000001357A48FBZ9", Code.NUMBER_CHARACTER),
        ("060100D156000005000001357A48FB49", Code.NUMBER_REGION_PART),
        ("4601A0D156000005000001357A48FB49", Code.NUMBER_REGION_PART),
        ("460100D156000006000001357A48FB49", Code.NUMBER_PREFIX),
    ],
)
def test_identification_code_refusals(text: str, code: Code, refused_by: Any) -> None:
    with refused_by(code):
        CardIdentificationCode.parse(text)


def test_identification_code_of_a_new_card_is_checked(refused_by: Any) -> None:
    with refused_by(Code.NUMBER_SEQUENCE):
        CardIdentificationCode.make("460100", 100_000_000, bytes(4))
    with refused_by(Code.NUMBER_LENGTH):
        CardIdentificationCode.make("460100", 1, bytes(8))
    with refused_by(Code.NUMBER_REGION_PART):
        CardIdentificationCode.make("4601", 1, bytes(4))


@pytest.mark.req("I3")
def test_initialising_organisation_of_the_notice() -> None:
    text = "915600000211000011010002"
    found = InitialisingOrganisation.parse("9156000002 110000 110100 02")
    assert (found.text, found.issuing_region, found.initialiser_region, found.sequence) == (text, "110000", "110100", 2)
    assert InitialisingOrganisation.parse(bytes.fromhex(text)) == found
    assert found.bytes == bytes.fromhex(text) and len(found.bytes) == 12
    assert found.issuer.initialiser("110100", 2) == found


@pytest.mark.req("I3")
@given(regions)
def test_an_area_has_one_issuer_number(region: str) -> None:
    number = IssuerIdentificationNumber.of(region)
    assert number.region == region and len(number.bytes) == 8
    assert IssuerIdentificationNumber.parse(number.text) == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("915600000211000011010", Code.NUMBER_LENGTH),
        ("91560000021100001101000A", Code.NUMBER_CHARACTER),
        ("915600000311000011010002", Code.NUMBER_PREFIX),
        ("915600000201000011010002", Code.NUMBER_REGION_PART),
        ("915600000211000001010002", Code.NUMBER_REGION_PART),
    ],
)
def test_initialising_organisation_refusals(text: str, code: Code, refused_by: Any) -> None:
    with refused_by(code):
        InitialisingOrganisation.parse(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("915600000246010", Code.NUMBER_LENGTH),
        ("915600000246010X", Code.NUMBER_CHARACTER),
        ("9156000003460100", Code.NUMBER_PREFIX),
        ("9156000002060100", Code.NUMBER_REGION_PART),
    ],
)
def test_issuer_number_refusals(text: str, code: Code, refused_by: Any) -> None:
    with refused_by(code):
        IssuerIdentificationNumber.parse(text)


@given(regions, st.integers(0, 999_999))
def test_terminal_number_there_and_back(region: str, sequence: int) -> None:
    number = terminal_number(region, sequence)
    assert (number.region, number.sequence, len(number.bytes)) == (region, sequence, 6)
    assert TerminalNumber.parse(number.text) == TerminalNumber.parse(number.bytes) == number


def test_terminal_number_refusals(refused_by: Any) -> None:
    with refused_by(Code.NUMBER_SEQUENCE):
        terminal_number("460100", 1_000_000)
    with refused_by(Code.NUMBER_LENGTH):
        TerminalNumber.parse("46010000001")
    with refused_by(Code.NUMBER_CHARACTER):
        TerminalNumber.parse("46010000000A")
    with refused_by(Code.NUMBER_REGION_PART):
        TerminalNumber.parse("000000000001")
