"""What clients may hold, and their limits: policy/clients.yaml (design §2.9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import yaml

from sheka.foundation.refusals import Code, Refused
from sheka.office.policy import policy_file
from sheka.office.staff.permissions import Permission


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """Kind of organisation → the scopes that its clients may be granted, and the limits of every client."""

    kinds: dict[str, frozenset[Permission]]
    token: timedelta
    overlap: timedelta
    longest: timedelta
    a_minute: int
    most_a_minute: int
    wrong_secrets: int
    locked: timedelta
    replies_kept: timedelta

    def scopes(self, kind: str) -> frozenset[Permission]:
        """What a client of this kind of organisation may be granted; nothing for a kind that is not listed."""
        return self.kinds.get(kind, frozenset())


@cache
def client_policy() -> ClientPolicy:
    """The policy file. An unknown permission in it stops the start, as in the matrix of roles."""
    found: dict[str, Any] = yaml.safe_load(policy_file("clients.yaml").read_text("utf-8"))
    try:
        kinds = {kind: frozenset(map(Permission, names)) for kind, names in found["kinds"].items()}
    except ValueError as error:
        raise Refused(Code.PERMISSION_UNKNOWN, role="clients.yaml", detail=str(error)) from error
    return ClientPolicy(
        kinds=kinds,
        token=timedelta(minutes=found["token_minutes"]),
        overlap=timedelta(days=found["overlap_days"]),
        longest=timedelta(days=found["longest_days"]),
        a_minute=found["requests_a_minute"],
        most_a_minute=found["most_requests_a_minute"],
        wrong_secrets=found["wrong_secrets"],
        locked=timedelta(minutes=found["locked_minutes"]),
        replies_kept=timedelta(days=found["replies_kept_days"]),
    )
