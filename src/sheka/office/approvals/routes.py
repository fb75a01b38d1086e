"""Routes of approval: the steps of a kind of request, from policy/approvals.toml, resolved for who asks (§2.5)."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.organisations.models import Organisation
from sheka.office.policy import policy_file
from sheka.office.staff.permissions import Permission

FILE = "approvals.toml"
OWN = "own"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `people` with `permission` in `organisation` approve it within `days` days.

    `confirm` asks each of them to prove presence for exactly what is decided.
    """

    organisation: str
    permission: str
    zh: str
    en: str
    people: int
    confirm: bool
    days: int

    @property
    def title(self) -> Term:
        return Term(self.zh, self.en)


@dataclass(frozen=True, slots=True)
class Route:
    """The steps of one request in order, as it was made; later changes of the policy do not touch it."""

    steps: tuple[Step, ...]
    days: int
    completion_days: int
    carry_out_days: int
    resume: str

    def plain(self) -> dict[str, Any]:
        """As JSON: what a request keeps and carries to other organisations."""
        return {**asdict(self), "steps": [asdict(step) for step in self.steps]}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Route:
        return cls(**{**plain, "steps": tuple(Step(**step) for step in plain["steps"])})


def route_for(kind: str, origin: Organisation, day: date) -> Route:
    """The route of a kind of request that `origin` makes on `day`.

    Raises Refused(APPROVAL_NO_ROUTE) when the policy has none in force, or none of its levels stands above.
    """
    row = next((row for row in _rows() if row["kind"] == kind and _counts(row, day)), None)
    steps = [] if row is None else [step for raw in row["step"] if (step := _resolved(raw, origin)) is not None]
    if row is None or not steps:
        raise Refused(Code.APPROVAL_NO_ROUTE, kind=kind, organisation=Term(origin.name, origin.name_en))
    named = {name: row[name] for name in ("days", "completion_days", "carry_out_days", "resume")}
    return Route(steps=tuple(steps), **named)


def deciding_permissions() -> frozenset[Permission]:
    """Every permission that decides a step of some route: what can be lent to a colleague."""
    return frozenset(Permission(step["permission"]) for row in _rows() for step in row["step"])


def right_title(permission: str) -> Term:
    """What a deciding right is called: the steps that it decides."""
    steps = {(step["zh"], step["en"]) for row in _rows() for step in row["step"] if step["permission"] == permission}
    named = sorted(steps) or [(permission, permission)]
    return Term("、".join(zh for zh, _en in named), ", ".join(en for _zh, en in named))


def _resolved(raw: dict[str, Any], origin: Organisation) -> Step | None:
    """A step of the policy with the organisation that decides it; None when its level is not above `origin`."""
    place: Organisation | None = origin
    if raw["level"] != OWN:
        place = origin.parent
        while place is not None and place.kind != raw["level"]:
            place = place.parent
    if place is None:
        return None
    return Step(place.code, **{name: value for name, value in raw.items() if name != "level"})


def _counts(row: dict[str, Any], day: date) -> bool:
    return bool(row["valid_from"] <= day and ("valid_to" not in row or day < row["valid_to"]))


def _rows() -> list[dict[str, Any]]:
    path = policy_file(FILE)
    return _read(str(path), path.stat().st_mtime_ns)


@cache
def _read(path: str, _changed: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads(Path(path).read_text("utf-8"))["route"]
    for row in rows:
        for step in row["step"]:
            if step["permission"] not in set(Permission):
                raise Refused(Code.PERMISSION_UNKNOWN, role=row["kind"], detail=step["permission"])
    return rows
