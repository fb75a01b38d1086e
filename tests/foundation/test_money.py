"""Money: a lost fen is found by an auditor years later, and somebody's share is wrong until then."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.money import (
    HIGHEST,
    Rounding,
    allocate,
    capital_yuan,
    format_yuan,
    in_range,
    parse_yuan,
    plain_yuan,
    share,
)
from sheka.foundation.refusals import Code

amounts = st.integers(-HIGHEST, HIGHEST)


@given(amounts)
def test_every_way_of_writing_reads_back(fen: int) -> None:
    for text in (plain_yuan(fen), format_yuan(fen, "zh-Hans"), format_yuan(fen, "en")):
        assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("12.34", 1234),
        ("12", 1200),
        ("12.3", 1230),
        ("0.05", 5),
        ("-0.05", -5),
        ("+1", 100),
        (" ¥1,234.50 ", 123450),
        ("￥８．８元", 880),
        ("007", 700),
        ("9,999,999,999,999.99", HIGHEST),
    ],
)
def test_how_people_write_amounts(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Code.MONEY_SHAPE),
        ("abc", Code.MONEY_SHAPE),
        ("1.2.3", Code.MONEY_SHAPE),
        ("12.", Code.MONEY_SHAPE),
        (".5", Code.MONEY_SHAPE),
        ("1,23", Code.MONEY_SHAPE),
        ("1e3", Code.MONEY_SHAPE),
        ("--1", Code.MONEY_SHAPE),
        ("٣", Code.MONEY_SHAPE),
        ("NaN", Code.MONEY_SHAPE),
        ("0.001", Code.MONEY_PRECISION),
        ("1.100", Code.MONEY_PRECISION),
        ("10000000000000", Code.MONEY_RANGE),
    ],
)
def test_amount_refusals(text: str, code: Code, refused_by: Any) -> None:
    with refused_by(code):
        parse_yuan(text)


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_a_refusal(text: str) -> None:
    try:
        assert abs(parse_yuan(text)) <= HIGHEST
    except Exception as error:
        assert type(error).__name__ == "Refused"


def test_bounds(refused_by: Any) -> None:
    assert in_range(5, 1, 5) == 5
    with refused_by(Code.MONEY_RANGE) as found:
        in_range(0, 1, 500)
    assert found[0].text("en") == "The amount 0.00 is outside 0.01 to 5.00."


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角整"),
        (100, "壹元整"),
        (105, "壹元零伍分"),
        (10050, "壹佰元伍角整"),
        (123456, "壹仟贰佰叁拾肆元伍角陆分"),
        (100500, "壹仟零伍元整"),
        (1000000, "壹万元整"),
        (1000500000, "壹仟万伍仟元整"),
        (100001005, "壹佰万零壹拾元零伍分"),
        (10000000000, "壹亿元整"),
        (10000000001, "壹亿元零壹分"),
        (1000001000000, "壹佰亿零壹万元整"),
        (-2000, "负贰拾元整"),
    ],
)
def test_capital_numerals_of_a_receipt(fen: int, words: str) -> None:
    assert capital_yuan(fen) == words


@given(st.integers(0, 10**11), st.integers(0, 10**11))
def test_no_two_amounts_share_their_capital_numerals(one: int, other: int) -> None:
    assert (capital_yuan(one) == capital_yuan(other)) is (one == other)


@pytest.mark.parametrize(
    ("fen", "ratio", "rounding", "expected"),
    [
        (1005, "0.5", Rounding.HALF_UP, 503),
        (1005, "0.5", Rounding.HALF_EVEN, 502),
        (1005, "0.5", Rounding.DOWN, 502),
        (1001, "0.75", Rounding.UP, 751),
        (-1005, "0.5", Rounding.HALF_UP, -503),
        (1234, Decimal(1), Rounding.DOWN, 1234),
        (1234, Decimal("0.0"), Rounding.UP, 0),
        (HIGHEST, "0.123456789012345678901234567890", Rounding.DOWN, 123456789012345),
    ],
)
def test_shares(fen: int, ratio: Decimal | str, rounding: Rounding, expected: int) -> None:
    assert share(fen, ratio, rounding) == expected


@given(amounts, st.decimals(0, 1, places=4), st.sampled_from(Rounding))
def test_a_share_is_within_a_fen_of_the_exact_one(fen: int, ratio: Decimal, rounding: Rounding) -> None:
    assert abs(share(fen, ratio, rounding) * 10**4 - fen * int(ratio * 10**4)) < 10**4


@pytest.mark.parametrize("ratio", ["1.01", "-0.1", "NaN", "Infinity", "75%", "", "0." + "1" * 31])
def test_ratio_refusals(ratio: str, refused_by: Any) -> None:
    with refused_by(Code.MONEY_RATIO):
        share(100, ratio, Rounding.HALF_UP)


def test_a_float_is_no_ratio(refused_by: Any) -> None:
    with refused_by(Code.MONEY_RATIO):
        share(100, 0.5, Rounding.HALF_UP)  # type: ignore[arg-type]


weights = st.lists(st.one_of(st.integers(0, 10**9), st.decimals(0, 100, places=3)), min_size=1, max_size=12).filter(
    lambda found: sum(found) > 0
)


@given(amounts, weights)
def test_no_fen_is_lost_and_each_part_is_fair(total: int, found: list[int | Decimal]) -> None:
    parts = allocate(total, found)
    assert sum(parts) == total and len(parts) == len(found)
    whole = [int(Decimal(weight) * 1000) for weight in found]
    for part, weight in zip(parts, whole, strict=True):
        assert abs(part * sum(whole) - total * weight) < sum(whole)
        assert weight or part == 0


def test_equal_remainders_are_served_in_order() -> None:
    assert allocate(5, [1, 1, 1]) == [2, 2, 1]
    assert allocate(-100, [2, 1]) == [-67, -33]
    assert allocate(0, [1, 2]) == [0, 0]


@pytest.mark.parametrize("found", [[], [0, 0], [1, -1], [Decimal("NaN")], [Decimal("Infinity")]])
def test_weights_refusals(found: list[int | Decimal], refused_by: Any) -> None:
    with refused_by(Code.MONEY_WEIGHTS):
        allocate(100, found)
