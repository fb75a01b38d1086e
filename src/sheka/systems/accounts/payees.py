"""Who gets what leaves an account (S6): a bank account outside, or heirs with their shares. Plain dictionaries, since a
request for approval freezes them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from sheka.foundation.money import allocate, format_yuan
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

Payee = dict[str, Any]
_SHARE = re.compile(r"[0-9]{1,5}(/[0-9]{1,5}|(\.[0-9]{1,4})?%)?", re.ASCII)
_BANK_ACCOUNT = re.compile(r"[0-9]{8,32}", re.ASCII)
MOST_HEIRS = 20
MOST_PARTS = 1_000_000


def payee(name: str, bank: str, bank_account: str) -> Payee:
    """A bank account outside. Raises Refused(PAYEE_INVALID)."""
    found = {"name": name.strip(), "bank": bank.strip(), "bank_account": re.sub(r"[ -]", "", bank_account)}
    fits = 1 < len(found["name"]) <= 150 and 1 < len(found["bank"]) <= 120
    if not fits or not _BANK_ACCOUNT.fullmatch(found["bank_account"]):
        raise Refused(Code.PAYEE_INVALID)
    return found


def heirs(given: Sequence[dict[str, Any]], rule: str, rules: Sequence[str]) -> list[Payee]:
    """Heirs as they are frozen: each with a whole number of parts, and an account here or a bank account.

    `rule`: "equal" or "given" (parts of an agreement or a court, see `whole_parts`). Raises Refused: INHERITANCE_HEIRS,
    PAYEE_INVALID.
    """
    if rule not in rules:
        raise Refused(Code.INHERITANCE_HEIRS, reason=Term(f"份额规则“{rule}”无效", f"no rule of shares {rule}"))
    if not 1 <= len(given) <= MOST_HEIRS:
        raise Refused(Code.INHERITANCE_HEIRS, reason=Term(f"应为1至{MOST_HEIRS}人", f"there are 1 to {MOST_HEIRS}"))
    found = []
    every = [1] * len(given) if rule == "equal" else whole_parts([str(one.get("parts") or "") for one in given])
    for one, parts in zip(given, every, strict=True):
        common = {"relation": str(one.get("relation", "")).strip()[:40], "parts": parts}
        if one.get("account"):
            name = str(one["name"]).strip()
            if len(name) < 2:
                raise Refused(Code.PAYEE_INVALID)
            found.append({"name": name, "account": str(one["account"]), **common})
        else:
            found.append({**payee(str(one["name"]), str(one["bank"]), str(one["bank_account"])), **common})
    places = [one.get("account") or one["bank_account"] for one in found]
    if len(set(places)) < len(places):
        raise Refused(Code.INHERITANCE_HEIRS, reason=Term("收款账户重复", "two have the same account"))
    return found


def whole_parts(given: Sequence[str]) -> list[int]:
    """Shares as they are written in an agreement or a judgment, as whole parts of one sum.

    Either whole numbers, which stand for their proportion, or fractions and percentages, which add up to one.

    >>> whole_parts(["2", "1", "1"]), whole_parts(["1/2", "1/3", "1/6"]), whole_parts(["33.5%", "66.5%"])
    ([2, 1, 1], [3, 2, 1], [67, 133])

    Raises Refused(INHERITANCE_HEIRS).
    """
    texts = [re.sub(r"\s", "", one).replace("％", "%").replace("／", "/") for one in given]
    wrong = Term("份额应为正整数、分数或百分数", "shares are whole numbers above zero, fractions or percentages")
    if not all(_SHARE.fullmatch(text) for text in texts):
        raise Refused(Code.INHERITANCE_HEIRS, reason=wrong)
    try:
        read = [Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text) for text in texts]
    except ZeroDivisionError:
        raise Refused(Code.INHERITANCE_HEIRS, reason=wrong) from None
    if any("%" in text or "/" in text for text in texts):
        total = sum(read)
        if total != 1:
            told = Term(f"份额合计为{total}，应为1", f"the shares add up to {total}, not to 1")
            raise Refused(Code.INHERITANCE_HEIRS, reason=told)
    scale = lcm(*(one.denominator for one in read))
    parts = [int(one * scale) for one in read]
    least = gcd(*parts)
    if not all(0 < one // least <= MOST_PARTS for one in parts):
        raise Refused(Code.INHERITANCE_HEIRS, reason=wrong)
    return [one // least for one in parts]


def shares(amount: int, found: Sequence[Payee]) -> list[int]:
    """The parts of an amount in fen, by largest remainder: nothing is lost and nothing is made.

    >>> shares(100, [{"parts": 1}, {"parts": 1}, {"parts": 1}])
    [34, 33, 33]
    """
    return allocate(amount, [one["parts"] for one in found])


def masked_account(number: str) -> str:
    """The last four digits of a bank account.

    >>> masked_account("6222000012345678")
    '•••• 5678'
    """
    return f"•••• {number[-4:]}"


def payee_told(found: Payee | None) -> Term:
    """A payee in one line, the bank account masked."""
    if not found:
        return Term("—", "—")
    place = found.get("account") or f"{found['bank']} {masked_account(found['bank_account'])}"
    return Term(f"{found['name']}，{place}", f"{found['name']}, {place}")


def heirs_told(found: Sequence[Payee]) -> Term:
    """All heirs, with their shares, and what each would have had of the balance when it was asked for (`asked`)."""
    total = sum(one["parts"] for one in found)
    zh, en = [], []
    for one in found:
        fen = one.get("asked", 0)
        told, share = payee_told(one), f"{one['parts']}/{total}"
        about = [text for text in (one.get("relation", ""), share if total > 1 else "") if text]
        tails = [[*about, format_yuan(fen, tongue)] if fen else about for tongue in ("zh-Hans", "en")]
        zh.append(told.zh + (f"（{'，'.join(tails[0])}）" if tails[0] else ""))
        en.append(told.en + (f" ({', '.join(tails[1])})" if tails[1] else ""))
    return Term("；".join(zh), "; ".join(en))
