"""The limits of signing in, from policy/staff.toml (design §2.9)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from sheka.office.policy import policy_file


@dataclass(frozen=True, slots=True)
class Rules:
    """What the policy says; spans as timedelta, the rest as counts."""

    idle: timedelta
    absolute: timedelta
    warn: timedelta
    sessions_at_once: int
    failures: int
    locked_for: timedelta
    address_failures: int
    address_window: timedelta
    password_length: int
    password_longest: int
    passwords_remembered: int
    enrolment: timedelta
    recovery_codes: int
    confirmation: timedelta
    longest_grant: timedelta


@cache
def rules() -> Rules:
    """The policy as it was when the process started."""
    found = tomllib.loads(policy_file("staff.toml").read_text("utf-8"))
    session, lock, address, password = (found[name] for name in ("session", "lock", "address", "password"))
    return Rules(
        idle=timedelta(minutes=session["idle_minutes"]),
        absolute=timedelta(hours=session["absolute_hours"]),
        warn=timedelta(minutes=session["warn_minutes"]),
        sessions_at_once=session["at_once"],
        failures=lock["failures"],
        locked_for=timedelta(minutes=lock["minutes"]),
        address_failures=address["failures"],
        address_window=timedelta(minutes=address["window_minutes"]),
        password_length=password["length"],
        password_longest=password["longest"],
        passwords_remembered=password["remembered"],
        enrolment=timedelta(hours=found["enrolment"]["valid_hours"]),
        recovery_codes=found["enrolment"]["recovery_codes"],
        confirmation=timedelta(minutes=found["confirmation"]["valid_minutes"]),
        longest_grant=timedelta(days=found["grant"]["longest_days"]),
    )


def minutes(span: timedelta) -> int:
    """Whole minutes, for a sentence."""
    return int(span.total_seconds() // 60)
