"""How long transactions stay in the database, and what still holds a day there (S4; policy/retention.toml).

A day is due for the archive when it is older than the policy says, its windows are closed and nothing holds it. A
higher system says what holds a day in its module `retention_holds` (found when the node starts):

@holds_day("clearing")
def not_netted(day): ...  -> Term | None
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.policy import policy_file
from sheka.systems.transactions.limits_policy import limits_policy

FILE = "retention.toml"
FEWEST_DAYS = 60
"""A reversal comes up to 30 days late, and a clearing window is counted over the 40 days before it."""


@dataclass(frozen=True, slots=True)
class Retention:
    """`online_days` in the database, `years` in all; partitions are made `days_ahead`. `source` in both languages."""

    online_days: int
    years: int
    days_ahead: int
    source: str
    source_en: str


@dataclass(frozen=True, slots=True)
class HeldDay:
    """A business day as a hold sees it: the windows that its rows stand in, each with an organisation whose
    institutions booked in it.
    """

    day: date
    windows: frozenset[tuple[int, str]]


Hold = Callable[[HeldDay], Term | None]
_holds: dict[str, Hold] = {}


def holds_day(name: str) -> Callable[[Hold], Hold]:
    """Declare what else must be over before a day may be archived; the function says what is not, or None."""

    def register(hold: Hold) -> Hold:
        _holds[name] = hold
        return hold

    return register


def what_holds(day: HeldDay) -> list[Term]:
    """Every reason of a higher system why the day stays."""
    return [reason for _name, hold in sorted(_holds.items()) if (reason := hold(day)) is not None]


def retention() -> Retention:
    """The policy as the file now says. Raises Refused: POLICY_MISSING, ARCHIVE_POLICY."""
    path = policy_file(FILE)
    found = _read(str(path), path.stat().st_mtime_ns)
    back = limits_policy().original_days
    if found.online_days < back:  # what may be refunded would not be known any more
        reason = f"online_days >= {back} (limits.toml, original)"
        raise Refused(Code.ARCHIVE_POLICY, file=FILE, reason=reason)
    return found


def message_days() -> int:
    """How many days the switch's messages stay. Raises Refused: POLICY_MISSING, ARCHIVE_POLICY."""
    path = policy_file(FILE)
    return _message_days(str(path), path.stat().st_mtime_ns)


OLD_ROWS = ("working_keys", "partner_requests", "offline_numbers")
"""Tables of the policy for what lies beside the transactions."""


def old_row_days() -> dict[str, int]:
    """How many days each of OLD_ROWS stays. Raises Refused: POLICY_MISSING, ARCHIVE_POLICY."""
    path = policy_file(FILE)
    return _old_row_days(str(path), path.stat().st_mtime_ns)


def last_due(today: date) -> date:
    """The latest business day that the policy wants archived today."""
    return today - timedelta(days=retention().online_days + 1)


@cache
def _message_days(path: str, _changed: int) -> int:
    return _days(path, "messages", FEWEST_DAYS)


@cache
def _old_row_days(path: str, changed: int) -> dict[str, int]:
    """A partner's id of a request names it as long as its transaction is online: it goes no earlier."""
    online = _read(path, changed).online_days
    return {name: _days(path, name, online if name == "partner_requests" else FEWEST_DAYS) for name in OLD_ROWS}


def _days(path: str, table: str, fewest: int) -> int:
    try:
        days = int(tomllib.loads(Path(path).read_text("utf-8"))[table]["days"])
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(Code.ARCHIVE_POLICY, file=FILE, reason=str(error)) from None
    if days < fewest:
        raise Refused(Code.ARCHIVE_POLICY, file=FILE, reason=f"{table}: days >= {fewest}")
    return days


@cache
def _read(path: str, _changed: int) -> Retention:
    try:
        row = tomllib.loads(Path(path).read_text("utf-8"))["transactions"]
        numbers = (int(row[name]) for name in ("online_days", "years", "days_ahead"))
        found = Retention(*numbers, str(row["source"]), str(row.get("source_en", row["source"])))
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(Code.ARCHIVE_POLICY, file=FILE, reason=str(error)) from None
    if found.online_days < FEWEST_DAYS or found.years < 1 or not 1 <= found.days_ahead <= 60:
        raise Refused(Code.ARCHIVE_POLICY, file=FILE, reason=f"online_days >= {FEWEST_DAYS}, years, days_ahead")
    return found
