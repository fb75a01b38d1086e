"""Who gets what leaves an account (S6): a bank account outside, or heirs with their shares. Plain dictionaries, since a
request for approval freezes them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sheka.foundation.money import allocate
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

Payee = dict[str, Any]
_BANK_ACCOUNT = re.compile(r"[0-9]{8,32}", re.ASCII)
MOST_HEIRS = 20


def payee(name: str, bank: str, bank_account: str) -> Payee:
    """A bank account outside. Raises Refused(PAYEE_INVALID)."""
    found = {"name": name.strip(), "bank": bank.strip(), "bank_account": re.sub(r"[ -]", "", bank_account)}
    fits = 1 < len(found["name"]) <= 150 and 1 < len(found["bank"]) <= 120
    if not fits or not _BANK_ACCOUNT.fullmatch(found["bank_account"]):
        raise Refused(Code.PAYEE_INVALID)
    return found


def heirs(given: Sequence[dict[str, Any]], rule: str, rules: Sequence[str]) -> list[Payee]:
    """Heirs as they are frozen: each with a whole number of parts, and an account here or a bank account.

    `rule`: "equal" or "given" (parts of an agreement or a court). Raises Refused: INHERITANCE_HEIRS, PAYEE_INVALID.
    """
    if rule not in rules:
        raise Refused(Code.INHERITANCE_HEIRS, reason=Term(f"份额规则“{rule}”无效", f"no rule of shares {rule}"))
    if not 1 <= len(given) <= MOST_HEIRS:
        raise Refused(Code.INHERITANCE_HEIRS, reason=Term(f"应为1至{MOST_HEIRS}人", f"there are 1 to {MOST_HEIRS}"))
    found = []
    for one in given:
        parts = 1 if rule == "equal" else int(one.get("parts") or 0)
        if not 0 < parts <= 10_000:
            raise Refused(Code.INHERITANCE_HEIRS, reason=Term("份额应为正整数", "parts are whole and above zero"))
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
    """All heirs in one line each."""
    total = sum(one["parts"] for one in found)
    lines = [(payee_told(one), one["parts"], one["relation"]) for one in found]
    zh = "；".join(f"{told.zh}（{relation}，{parts}/{total}）" for told, parts, relation in lines)
    en = "; ".join(f"{told.en} ({relation}, {parts}/{total})" for told, parts, relation in lines)
    return Term(zh, en)
