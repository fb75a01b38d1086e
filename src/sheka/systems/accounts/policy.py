"""The policy of accounts: rows in force on a day, from policy/accounts.toml and policy/interest.toml (design §2.9)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from sheka.foundation.money import Rounding
from sheka.foundation.refusals import Code, Refused
from sheka.office.policy import policy_file

ACCOUNTS, INTEREST = "accounts.toml", "interest.toml"
BASE = "day_end_balance"


@dataclass(frozen=True, slots=True)
class Rate:
    """The interest of a stretch of days, both ends included: `daily` is the rate of one day."""

    first: date
    last: date
    annual: Decimal
    day_count: int
    rounding: Rounding
    fund: str
    source: str

    @property
    def daily(self) -> Decimal:
        return self.annual / self.day_count

    def plain(self) -> dict[str, Any]:
        """For the run that was reckoned by it."""
        return {
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "annual": str(self.annual),
            "day_count": self.day_count,
            "rounding": self.rounding.name.lower(),
            "source": self.source,
        }


def in_force(file: str, table: str, day: date, **where: object) -> dict[str, Any]:
    """The one row of `table` in force on `day`. Raises Refused(ACCOUNT_POLICY) when there is none, or two."""
    path = policy_file(file)
    rows = [
        row
        for row in _read(str(path), path.stat().st_mtime_ns).get(table, [])
        if row["valid_from"] <= day
        and ("valid_to" not in row or day < row["valid_to"])
        and all(row.get(name) == value for name, value in where.items())
    ]
    if len(rows) != 1:
        raise Refused(Code.ACCOUNT_POLICY, file=file, what=table, day=day.isoformat())
    return rows[0]


def rates(scheme: str, first: date, last: date) -> list[Rate]:
    """The rates of every day from `first` to `last`, in stretches. Raises Refused(ACCOUNT_POLICY)."""
    found: list[Rate] = []
    day = first
    while day <= last:
        row = in_force(INTEREST, "interest", day, scheme=scheme)
        end = min(last, row["valid_to"] - timedelta(days=1)) if "valid_to" in row else last
        nexts = [start for start in _starts(scheme) if day < start <= end]
        end = min([end, *(start - timedelta(days=1) for start in nexts)])
        try:
            annual, rounding = Decimal(row["annual"]), Rounding(row["rounding"])
        except (InvalidOperation, ValueError):
            raise Refused(Code.ACCOUNT_POLICY, file=INTEREST, what="interest", day=day.isoformat()) from None
        if row["base"] != BASE or not 0 <= annual < 1 or row["day_count"] not in (360, 365, 366):
            raise Refused(Code.ACCOUNT_POLICY, file=INTEREST, what="interest", day=day.isoformat())
        found.append(Rate(day, end, annual, row["day_count"], rounding, row["fund"], row["source"]))
        day = end + timedelta(days=1)
    return found


def _starts(scheme: str) -> list[date]:
    path = policy_file(INTEREST)
    rows = _read(str(path), path.stat().st_mtime_ns).get("interest", [])
    return [row["valid_from"] for row in rows if row["scheme"] == scheme]


@cache
def _read(path: str, _changed: int) -> dict[str, list[dict[str, Any]]]:
    """The file as it was when it last changed; a row without a source or a first day stops here."""
    tables: dict[str, list[dict[str, Any]]] = tomllib.loads(Path(path).read_text("utf-8"))
    for table, rows in tables.items():
        for row in rows:
            if not isinstance(row.get("valid_from"), date) or not row.get("source"):
                raise Refused(Code.ACCOUNT_POLICY, file=Path(path).name, what=table, day="-")
    return tables
