"""The policy of abnormal transactions, from policy/exceptions.toml: days, amounts, automatic rules (S10)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from sheka.foundation.calendar import DueDate, add_working_days
from sheka.foundation.terms import Term
from sheka.office.policy import policy_file

FILE = "exceptions.toml"
EFFECTS = ("close", "resolve", "suggest")


@dataclass(frozen=True, slots=True)
class Rule:
    """An automatic rule: for which reasons, what is asked of our books (`test`), and what it does when that fits.

    `below` in fen, None for any amount. `way` is what a suggestion proposes.
    """

    name: str
    version: int
    on: bool
    reasons: tuple[str, ...]
    test: str
    effect: str
    zh: str
    en: str
    source: str
    closing: str = ""
    below: int | None = None
    way: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> Term:
        return Term(self.zh, self.en)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the file says. `days` by reason, working days; `most` in fen; the others as they are named."""

    days: dict[str, int]
    unknown_minutes: int
    wait_days: int
    escalate_days: int
    dispute_days_back: int
    most: int
    batch_minutes: int
    again_minutes: int
    many_hours: int
    many_times: int
    clock_hours: int
    extend_days: int
    rules: tuple[Rule, ...]

    def due(self, reason: str, start: date) -> DueDate:
        """By when a case of this reason is to be ended."""
        return add_working_days(start, self.days[reason])


def policy() -> Policy:
    """The policy as the file now says."""
    path = policy_file(FILE)
    return _read(str(path), path.stat().st_mtime_ns)


def rule_named(name: str) -> Rule | None:
    """The rule of this name, None when the file has it no more."""
    return next((rule for rule in policy().rules if rule.name == name), None)


@cache
def _read(path: str, _changed: int) -> Policy:
    found: dict[str, Any] = tomllib.loads(Path(path).read_text("utf-8"))
    return Policy(
        days=found["days"],
        unknown_minutes=found["unknown_minutes"],
        wait_days=found["wait_days"],
        escalate_days=found["escalate_days"],
        dispute_days_back=found["dispute_days_back"],
        most=found["most_fen"],
        batch_minutes=found["batch_minutes"],
        again_minutes=found["again_minutes"],
        many_hours=found["many_hours"],
        many_times=found["many_times"],
        clock_hours=found["clock_hours"],
        extend_days=found["extend_days"],
        rules=tuple(_rule(row) for row in found["rule"]),
    )


def _rule(row: dict[str, Any]) -> Rule:
    if row["effect"] not in EFFECTS:
        raise ValueError(f"{FILE}: {row['name']}: {row['effect']} is no effect")
    return Rule(
        name=row["name"],
        version=row["version"],
        on=row["on"],
        reasons=tuple(row["reasons"]),
        test=row["test"],
        effect=row["effect"],
        zh=row["zh"],
        en=row["en"],
        source=row["source"],
        closing=row.get("closing", ""),
        below=row.get("below_fen"),
        way=row.get("way", {}),
    )
