"""PAN, masks and countries: a foreign card is kept out (C3), and nobody's number stands on a screen by accident."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.numbers import (
    Pan,
    countries,
    country,
    luhn_check,
    luhn_holds,
    mask_card_number,
    mask_middle,
    mask_name,
    mask_pan,
    mask_person_number,
    mask_phone,
    pan,
)
from sheka.foundation.refusals import Code, Refused

pans = st.text("0123456789", min_size=13, max_size=16).map(lambda rest: pan("62" + rest))


@given(pans)
def test_pan_there_and_back(number: Pan) -> None:
    assert Pan.parse(number.text) == number
    assert number.issuer_prefix == number.text[:6] and number.bytes == number.text.encode()


@given(pans, st.integers(2, 18), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(number: Pan, place: int, step: int) -> None:
    place = min(place, len(number.text) - 1)
    wrong = str((int(number.text[place]) + step) % 10)
    with pytest.raises(Refused) as caught:
        Pan.parse(number.text[:place] + wrong + number.text[place + 1 :])
    assert caught.value.code is Code.NUMBER_CHECK


@given(st.text("0123456789", min_size=2, max_size=19), st.integers(0, 17))
def test_swapped_neighbours_are_found_but_for_09_and_90(body: str, place: int) -> None:
    place = min(place, len(body) - 2)
    number = body + luhn_check(body)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    hidden = {number[place], number[place + 1]} in ({"0", "9"}, {number[place]})
    assert luhn_holds(swapped) is hidden


@pytest.mark.req("C3")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4111111111111111", Code.NUMBER_PREFIX),
        ("620000000000005", Code.NUMBER_LENGTH),
        ("62000000000000000005", Code.NUMBER_LENGTH),
        ("620000000000000A", Code.NUMBER_CHARACTER),
        ("6200000000000004", Code.NUMBER_CHECK),
    ],
)
def test_pan_refusals(text: str, code: Code, refused_by: Any) -> None:
    with refused_by(code):
        Pan.parse(text)


def test_a_pan_does_not_slip_into_a_log() -> None:
    assert f"{pan('620000123456789')!r} {pan('620000123456789')}".count("620000******") == 2


@given(st.text(max_size=30))
def test_a_mask_keeps_the_length_and_never_shows_the_middle(text: str) -> None:
    for mask in (mask_person_number, mask_card_number, mask_pan, mask_phone, mask_name):
        masked = mask(text)
        assert len(masked) == len(text)
        middle = masked[len(text) // 2 : len(text) // 2 + 1]
        assert middle in ("*", "") or len(text) < 3


def test_masks_of_short_texts_show_nothing() -> None:
    assert mask_person_number("12345678") == "********"
    assert mask_middle("abc", 1, 1) == "***"
    assert (mask_name("张三丰"), mask_name("张三"), mask_name("张")) == ("张*丰", "张*", "*")


def test_iso_3166_is_whole() -> None:
    found = countries()
    assert len(found) == 249
    assert len({row.alpha2 for row in found}) == len({row.numeric for row in found}) == 249
    china, same = country("CHN"), country("156")
    assert china is not None and china == same and china.name.text("zh-Hans") == "中国"
    assert country("XYZ") is None


def test_hong_kong_macao_and_taiwan_are_named_as_the_authorities_do() -> None:
    names = {code: found.name.zh for code in ("HKG", "MAC", "TWN") if (found := country(code))}
    assert names == {"HKG": "中国香港", "MAC": "中国澳门", "TWN": "中国台湾"}
