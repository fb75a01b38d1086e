"""policy/limits.toml (S4): how much and how often an account pays by card, how long a pre-authorisation holds money,
how far back an original may lie. Plain Python: the switch imports it without Django.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sheka.foundation.refusals import Code, Refused

FIGURES = ("at_once", "day", "number", "minute")
KINDS = {"purchase": 1, "pre_authorisation": 3}
MOST_IN_A_MINUTE = 19
"""An account remembers its last 20 payments."""
Table = tuple[list[int | None], dict[tuple[str, str, int], int]]


@dataclass(frozen=True, slots=True)
class Limit:
    """A row of the policy. `figures` in the order of FIGURES, in fen and times; None: no limit."""

    scheme: str
    institution: str
    kind: int
    figures: tuple[int | None, ...]
    valid_from: date
    valid_to: date | None


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
        """The limits in force on a day: their figures one behind the other, and (scheme, letter, kind) → place of the
        four; letter "*" for the institutions without a row of their own."""
        found = self._tables.get(day)
        if found is None:
            rows = [
                one for one in self.limits if one.valid_from <= day and (one.valid_to is None or day <= one.valid_to)
            ]
            rows.sort(key=lambda one: one.valid_from)
            places = {(one.scheme, one.institution, one.kind): place for place, one in enumerate(rows)}
            found = [figure for one in rows for figure in one.figures], places
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
    return Limit(scheme, letter, kind, figures, first, last)  # type: ignore[arg-type]
