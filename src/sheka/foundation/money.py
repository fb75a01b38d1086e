"""Money: fen in integers, shares with the rounding rule named, allocation without a lost fen (design §2 rule 7)."""

from __future__ import annotations

import decimal
import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from sheka.foundation.numbers.shape import tidy
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import is_chinese

Fen: TypeAlias = int

HIGHEST = 10**15 - 1
"""Nine trillion yuan and more: above any fund of one node, and exact in every system that reads it."""

_YUAN = re.compile(r"(?P<sign>[-+]?)[¥￥]?(?P<yuan>\d{1,3}(,\d{3})+|\d+)(\.(?P<decimals>\d*))?元?", re.ASCII)
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


class Rounding(StrEnum):
    """The rule by which a share becomes whole fen; a policy file names one of these."""

    HALF_UP = decimal.ROUND_HALF_UP  # 四舍五入
    HALF_EVEN = decimal.ROUND_HALF_EVEN
    DOWN = decimal.ROUND_DOWN
    UP = decimal.ROUND_UP


def parse_yuan(text: str) -> Fen:
    """Fen from an amount in yuan as somebody writes it: 12, 12.3, 12.34, 1,234.56, ¥12.34, 12.34元, -0.05.

    Refused: MONEY_SHAPE, MONEY_PRECISION, MONEY_RANGE.

    >>> parse_yuan("1,234.5")
    123450
    """
    clean = tidy(text)
    match = _YUAN.fullmatch(clean)
    if match is None or match["decimals"] == "":
        raise Refused(Code.MONEY_SHAPE, got=text.strip())
    decimals = match["decimals"] or ""
    if len(decimals) > 2:
        raise Refused(Code.MONEY_PRECISION, got=text.strip())
    fen = int(match["yuan"].replace(",", "") + f"{decimals:0<2}")
    return in_range(-fen if match["sign"] == "-" else fen)


def in_range(fen: Fen, low: Fen = -HIGHEST, high: Fen = HIGHEST) -> Fen:
    """The amount itself when it lies within the bounds. Refused: MONEY_RANGE."""
    if not low <= fen <= high:
        raise Refused(Code.MONEY_RANGE, got=plain_yuan(fen), low=plain_yuan(low), high=plain_yuan(high))
    return fen


def plain_yuan(fen: Fen) -> str:
    """Yuan with two decimals and nothing else, for files and forms.

    >>> plain_yuan(-5)
    '-0.05'
    """
    yuan, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{yuan}.{rest:02d}"


def format_yuan(fen: Fen, language: str) -> str:
    """An amount as a person reads it.

    >>> format_yuan(123456, "zh-Hans"), format_yuan(-123456, "en")
    ('1,234.56元', '-¥1,234.56')
    """
    yuan, rest = divmod(abs(fen), 100)
    sign, amount = "-" if fen < 0 else "", f"{yuan:,}.{rest:02d}"
    return f"{sign}{amount}元" if is_chinese(language) else f"{sign}¥{amount}"


def capital_yuan(fen: Fen) -> str:
    """An amount in capital numerals, as a receipt shows it beside the digits (rules for filling in bills, PBOC 1997).

    >>> capital_yuan(10050), capital_yuan(123456), capital_yuan(100001005)
    ('壹佰元伍角整', '壹仟贰佰叁拾肆元伍角陆分', '壹佰万零壹拾元零伍分')
    """
    yuan, rest = divmod(abs(in_range(fen)), 100)
    jiao, last = divmod(rest, 10)
    words = f"{_capital_integer(yuan)}元" if yuan else ""
    if jiao:
        words += f"{_DIGITS[jiao]}角"
    elif yuan and last:
        words += "零"
    words += f"{_DIGITS[last]}分" if last else "整"
    return ("负" if fen < 0 else "") + (words if yuan or rest else "零元整")


def share(fen: Fen, ratio: Decimal | str, rounding: Rounding) -> Fen:
    """The part of an amount that a ratio from 0 to 1 gives, in whole fen by the named rule.

    The ratio is a Decimal or its text, never a float. Refused: MONEY_RATIO.

    >>> share(1005, "0.5", Rounding.HALF_UP), share(1005, "0.5", Rounding.DOWN)
    (503, 502)
    """
    exact = _ratio(ratio)
    with decimal.localcontext(decimal.Context(prec=60)):
        return int((Decimal(in_range(fen)) * exact).quantize(Decimal(1), rounding=rounding.value))


def allocate(total: Fen, weights: Sequence[int | Decimal]) -> list[Fen]:
    """The amount split in proportion to the weights by largest remainder; the parts always sum to the amount.

    Equal remainders are served in the order given. Refused: MONEY_WEIGHTS.

    >>> allocate(100, [1, 1, 1]), allocate(-100, [2, 1])
    ([34, 33, 33], [-67, -33])
    """
    exact = [Decimal(weight) for weight in weights]
    if not exact or any(not weight.is_finite() or weight < 0 for weight in exact) or sum(exact) == 0:
        raise Refused(Code.MONEY_WEIGHTS)
    scale = 10 ** max(0, *(-int(weight.as_tuple().exponent) for weight in exact))
    whole = [int(weight * scale) for weight in exact]
    amount, all_weights = abs(in_range(total)), sum(whole)
    parts = [amount * weight // all_weights for weight in whole]
    remainders = [amount * weight % all_weights for weight in whole]
    for place in sorted(range(len(whole)), key=lambda place: -remainders[place])[: amount - sum(parts)]:
        parts[place] += 1
    return [-part for part in parts] if total < 0 else parts


def _ratio(ratio: Decimal | str) -> Decimal:
    try:
        exact = Decimal(ratio) if isinstance(ratio, str | Decimal) else Decimal("NaN")
    except decimal.InvalidOperation:
        exact = Decimal("NaN")
    if not exact.is_finite() or not 0 <= exact <= 1 or len(exact.as_tuple().digits) > 30:
        raise Refused(Code.MONEY_RATIO, got=ratio)
    return exact


def _capital_integer(number: int) -> str:
    """Capital numerals of a positive integer, one zero word for a run of zeros inside."""
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    words, gap = "", False
    for index in range(len(groups) - 1, -1, -1):
        group = groups[index]
        if group == 0:
            gap = bool(words)
            continue
        if words and (gap or group < 1000):
            words += "零"
        words += _capital_group(group) + _GROUPS[index]
        gap = False
    return words


def _capital_group(group: int) -> str:
    """Four places: 1005 becomes 壹仟零伍."""
    words, gap = "", False
    for place in (3, 2, 1, 0):
        digit = group // 10**place % 10
        if digit == 0:
            gap = bool(words)
            continue
        words += ("零" if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = False
    return words
