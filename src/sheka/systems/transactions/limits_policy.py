"""policy/limits.toml (S4): how much and how often an account pays by card, how long a pre-authorisation holds money,
how far back an original may lie. Plain Python: the switch imports it without Django.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from sheka.foundation.refusals import Code, Refused

FIGURES = ("at_once", "day", "number", "minute")
KINDS = {"purchase": 1, "pre_authorisation": 3}
MOST_IN_A_MINUTE = 19
"""An account remembers its last 20 payments."""
ANY = "*"
_SPECIFICATION, _CLASS = re.compile(r"[0-9]\.[0-9]{2}|\*"), re.compile(r"[0-9]|\*")


class Table(NamedTuple):
    """The limits of a day as the database takes them. `figures`: four numbers for each place, one behind the other;
    `places`: (scheme, letter, kind of payment) → its place; behind it lies one more for each of `kinds`, the kinds of
    card that the policy names, as specification/class with * for any. None: it names none.
    """

    figures: list[int | None]
    places: dict[tuple[str, str, int], int]
    kinds: list[str] | None


@dataclass(frozen=True, slots=True)
class Limit:
    """A row of the policy. `figures` in the order of FIGURES, in fen and times; None: no limit. `card`: the kind of
    card that it is for, "" for any.
    """

    scheme: str
    institution: str
    kind: int
    figures: tuple[int | None, ...]
    valid_from: date
    valid_to: date | None
    card: str = ""


@dataclass(frozen=True, slots=True)
class LimitsPolicy:
    """`held_days`: how long a pre-authorisation holds; `original_days`: how far back what is completed, voided or
    refunded may lie.
    """

    limits: tuple[Limit, ...]
    held_days: int
    original_days: int
    _tables: dict[date, Table] = field(default_factory=dict, repr=False, compare=False)

    def table(self, day: date) -> Table:
        """The limits in force on a day; letter "*" for the institutions without a row of their own."""
        found = self._tables.get(day)
        if found is None:
            rows = [
                one for one in self.limits if one.valid_from <= day and (one.valid_to is None or day <= one.valid_to)
            ]
            rows.sort(key=lambda one: one.valid_from)
            newest = {(one.scheme, one.institution, one.kind, one.card): one for one in rows}
            kinds = _kinds({one.card for one in rows if one.card})
            figures: list[int | None] = []
            places: dict[tuple[str, str, int], int] = {}
            for one in rows:
                key = (one.scheme, one.institution, one.kind)
                if key not in places:
                    places[key] = len(figures) // len(FIGURES)
                    for card in ("", *kinds):
                        asked = [
                            (one.scheme, letter, one.kind, each)
                            for letter in (one.institution, ANY)
                            for each in _within(card)
                        ]
                        limit = next((newest[each] for each in asked if each in newest), None)
                        figures += limit.figures if limit else (None,) * len(FIGURES)
            found = Table(figures, places, kinds or None)
            self._tables.clear()
            self._tables[day] = found
        return found


def limits_policy() -> LimitsPolicy:
    """The policy as the file says now. Raises Refused(LIMITS_POLICY_INVALID), OSError: a switch without its policy does
    not start."""
    folder = Path(os.environ.get("SHEKA_POLICY") or Path(__file__).resolve().parents[4] / "policy")
    return read_limits((folder / "limits.toml").read_text("utf-8"))


def read_limits(text: str) -> LimitsPolicy:
    """Raises Refused(LIMITS_POLICY_INVALID)."""
    try:
        table = tomllib.loads(text)
        limits = tuple(_limit(row) for row in table["limit"])
        held, back = int(table["pre_authorisation"]["days"]), int(table["original"]["days"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise Refused(Code.LIMITS_POLICY_INVALID, reason=str(error)) from None
    if not (1 <= held <= 366 and 1 <= back <= 180):
        raise Refused(Code.LIMITS_POLICY_INVALID, reason=f"days {held}, {back}")
    return LimitsPolicy(limits, held, back)


def _kinds(named: set[str]) -> list[str]:
    """Every combination of the specifications and classes that rows name, so that a card has one place everywhere."""
    parts = [one.split("/") for one in named]
    specifications, holders = ({ANY, *(part[at] for part in parts)} for at in (0, 1))
    return sorted({f"{one}/{other}" for one in specifications for other in holders} - {f"{ANY}/{ANY}"})


def _within(card: str) -> list[str]:
    """The kinds that a kind of card lies in, the narrowest first: the generation before the class of its holder."""
    specification, _, holder = card.partition("/")
    return [card, f"{specification}/{ANY}", f"{ANY}/{holder}", ""] if card else [""]


def _limit(row: dict[str, object]) -> Limit:
    figures = tuple(row.get(name) for name in FIGURES)
    if not all(one is None or (isinstance(one, int) and one > 0) for one in figures):
        raise ValueError(f"figures {figures}")
    minute = figures[3]
    if isinstance(minute, int) and minute > MOST_IN_A_MINUTE:
        raise ValueError(f"minute {minute} > {MOST_IN_A_MINUTE}")
    first, last = row["valid_from"], row.get("valid_to")
    if not isinstance(first, date) or not (last is None or isinstance(last, date)) or not row["source"]:
        raise ValueError(f"validity or source of {row}")
    scheme, letter, kind = str(row["scheme"]), str(row["institution"]), KINDS[str(row["kind"])]
    return Limit(scheme, letter, kind, figures, first, last, _card(row))  # type: ignore[arg-type]


def _card(row: dict[str, object]) -> str:
    """The kind of card of a row: its specification ("2.00", "3.00") and its holder's class ("1" to "4")."""
    specification, holder = str(row.get("specification", ANY)), str(row.get("card_class", ANY))
    if not (_SPECIFICATION.fullmatch(specification) and _CLASS.fullmatch(holder)):
        raise ValueError(f"kind of card {specification} {holder}")
    return "" if specification == holder == ANY else f"{specification}/{holder}"
