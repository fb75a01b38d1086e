"""The policy of cards and their exchange: rows in force on a day, from policy/cards.toml and policy/exchange.toml."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from sheka.foundation.refusals import Code, Refused
from sheka.office.policy import policy_file

CARDS = "cards.toml"
EXCHANGE = "exchange.toml"


def in_force(file: str, table: str, day: date, **where: object) -> dict[str, Any]:
    """The one row of `table` in force on `day` whose columns are as in `where`.

    Raises Refused: POLICY_NO_ROW when there is none, POLICY_TWO_ROWS when two count at once: nothing is guessed.
    """
    rows = rows_in_force(file, table, day, **where)
    if not rows:
        raise Refused(Code.POLICY_NO_ROW, file=file, table=table, day=day.isoformat(), which=_named(where))
    if len(rows) > 1:
        raise Refused(Code.POLICY_TWO_ROWS, file=file, table=table, day=day.isoformat(), which=_named(where))
    return rows[0]


def rows_in_force(file: str, table: str, day: date, **where: object) -> list[dict[str, Any]]:
    """Every row of `table` in force on `day` whose columns are as in `where`, in the order of the file."""
    path = policy_file(file)
    rows = _read(str(path), path.stat().st_mtime_ns).get(table, [])
    return [row for row in rows if _counts(row, day) and all(row.get(name) == value for name, value in where.items())]


def _counts(row: dict[str, Any], day: date) -> bool:
    return bool(row["valid_from"] <= day and ("valid_to" not in row or day < row["valid_to"]))


def _named(where: dict[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in where.items()) or "-"


@cache
def _read(path: str, changed: int) -> dict[str, list[dict[str, Any]]]:
    """The file as it was when it last changed; a row without a source or a first day stops here."""
    with Path(path).open("rb") as file:
        tables: dict[str, list[dict[str, Any]]] = tomllib.load(file)
    for table, rows in tables.items():
        for row in rows:
            if not isinstance(row.get("valid_from"), date) or not row.get("source"):
                raise Refused(Code.POLICY_ROW_BAD, file=path, table=table)
    return tables
