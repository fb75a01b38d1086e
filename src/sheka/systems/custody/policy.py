"""The policy of custody, from policy/custody.toml (K5, K6, K7; design §2.9)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from sheka.office.policy import policy_file

FILE = "custody.toml"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the policy says; spans as timedelta, the rest as counts and words."""

    desk: timedelta
    courier: timedelta
    courier_incident: timedelta
    most_at_once: int
    most_in_order: int
    count_every: timedelta
    count_warn: timedelta
    longest_out: timedelta
    report_every: timedelta
    overdue_incident: timedelta
    filing_warn: timedelta
    methods: tuple[str, ...]
    witnesses: int


def rules() -> Rules:
    """The policy as the file now says."""
    path = policy_file(FILE)
    return _read(str(path), path.stat().st_mtime_ns)


@cache
def _read(path: str, _changed: int) -> Rules:
    found = tomllib.loads(Path(path).read_text("utf-8"))
    hand_over, count, party = (found[name] for name in ("hand_over", "count", "third_party"))
    return Rules(
        desk=timedelta(minutes=hand_over["desk_minutes"]),
        courier=timedelta(days=hand_over["courier_days"]),
        courier_incident=timedelta(days=hand_over["overdue_incident_days"]),
        most_at_once=hand_over["most_at_once"],
        most_in_order=found["order"]["most"],
        count_every=timedelta(days=count["every_days"]),
        count_warn=timedelta(days=count["warn_days"]),
        longest_out=timedelta(days=party["longest_days"]),
        report_every=timedelta(days=party["report_every_days"]),
        overdue_incident=timedelta(days=party["overdue_incident_days"]),
        filing_warn=timedelta(days=party["filing_warn_days"]),
        methods=tuple(found["destruction"]["methods"]),
        witnesses=found["destruction"]["witnesses"],
    )
