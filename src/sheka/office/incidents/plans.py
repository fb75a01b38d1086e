"""Emergency plans: what is frozen at once, who is told, until when what has to be done (K9).

The kinds of incidents and a default plan for each stand in policy/incidents.toml; an organisation's own plan is a
version that was approved (models.Plan). Every incident carries the plan under which it was reported.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.db.models import Q

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.incidents.models import Plan
from sheka.office.policy import policy_file

FILE = "incidents.toml"
SEVERITIES = {
    1: Term("Ⅰ级（特别重大）", "I, most grave"),
    2: Term("Ⅱ级（重大）", "II, grave"),
    3: Term("Ⅲ级（较大）", "III, considerable"),
    4: Term("Ⅳ级（一般）", "IV, ordinary"),
}
"""GB/T 20986-2023: particularly significant, significant, relatively significant, general."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of incident: its name and the kinds of things that it may concern."""

    name: str
    title: Term
    things: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanContent:
    """What a plan says. `notify` are roles of the organisation itself: those above are told by the rules, always.

    Deadlines run from the report, day and night. `steps` and `contacts` are read by people.
    """

    severity: int
    freezes: tuple[str, ...]
    follow_ups: tuple[str, ...]
    notify: tuple[str, ...]
    acknowledge_minutes: int
    contain_minutes: int
    cause_hours: int
    close_days: int
    steps: str
    steps_en: str
    contacts: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON: what is approved, kept and carried."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> PlanContent:
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()})

    def deadlines(self, start: datetime) -> dict[str, datetime]:
        """Name → until when, counted from `start`."""
        return {
            "acknowledge": start + timedelta(minutes=self.acknowledge_minutes),
            "contain": start + timedelta(minutes=self.contain_minutes),
            "cause": start + timedelta(hours=self.cause_hours),
            "close": start + timedelta(days=self.close_days),
        }


@dataclass(frozen=True, slots=True)
class InForce:
    """The plan that counts for an organisation on a day. Version 0 is the default of the policy: nobody adopted it."""

    kind: str
    version: int
    content: PlanContent
    since: date | None

    @property
    def is_default(self) -> bool:
        return self.version == 0

    @property
    def digest(self) -> str:
        return digest(self.content.plain())


def kinds() -> dict[str, Kind]:
    """Every kind of incident by its name, in the order of the policy."""
    return {name: Kind(name, Term(*row["title"]), tuple(row["things"])) for name, row in _policy()["kind"].items()}


def kind_named(name: str) -> Kind:
    """Raises Refused(INCIDENT_KIND)."""
    found = kinds().get(name)
    if found is None:
        raise Refused(Code.INCIDENT_KIND, kind=name)
    return found


def things() -> dict[str, Term]:
    """The kinds of things that can be affected: what stands before the colon of a subject."""
    return {name: Term(*title) for name, title in _policy()["things"].items()}


def follow_up_titles() -> dict[str, Term]:
    """The follow-ups that a plan may name."""
    return {name: Term(*title) for name, title in _policy()["follow_ups"].items()}


def rule(name: str) -> int:
    """A number of the policy: drill_days, drill_notice_days, escalation_minutes, retry_minutes, warn_share, …"""
    return int(_policy()[name])


def default_plan(kind: str) -> PlanContent:
    """The plan of the policy. Raises Refused(INCIDENT_KIND)."""
    kind_named(kind)
    row = {**_policy()["kind"][kind]}
    row["steps"], row["steps_en"] = row["steps"]
    return PlanContent.of({name: value for name, value in row.items() if name not in ("title", "things")})


def plan_in_force(organisation: str, kind: str, day: date) -> InForce:
    """The organisation's own plan for this kind on `day`, or else the default. Raises Refused(INCIDENT_KIND)."""
    row = plans_on(organisation, day).filter(kind=kind).first()
    if row is None:
        return InForce(kind, 0, default_plan(kind), None)
    return InForce(kind, row.version, PlanContent.of(row.content), row.valid_from)


def plans_on(organisation: str, day: date) -> Any:
    """The versions that count on `day`."""
    ends = Q(valid_to__isnull=True) | Q(valid_to__gt=day)
    return Plan.objects.filter(ends, organisation_id=organisation, valid_from__lte=day)


def _policy() -> dict[str, Any]:
    path = policy_file(FILE)
    return _read(str(path), path.stat().st_mtime_ns)


@cache
def _read(path: str, _changed: int) -> dict[str, Any]:
    return tomllib.loads(Path(path).read_text("utf-8"))
