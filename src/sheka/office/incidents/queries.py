"""Reading incidents: the desk, one incident, what is frozen; figures of a period (K9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.incidents.freezing import MOST, Thing, freezer_of
from sheka.office.incidents.models import Affected, Deadline, Drill, Incident, Plan
from sheka.office.incidents.states import RUNNING
from sheka.office.organisations.queries import bureau_of, organisation
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


def readable_by(actor: Actor) -> QuerySet[Incident]:
    """The copies of the actor's organisation for who may view incidents; at an outlet what was reported from there; and
    what one reported oneself.
    """
    own = Q(reporter_id=actor.staff_id) if actor.staff_id is not None else Q(pk__in=())
    if actor.may(Permission.INCIDENT_VIEW):
        own |= Q(organisation_id=actor.organisation) | Q(reported_from=actor.organisation, origin=F("organisation_id"))
    return Incident.objects.filter(own)


def running_for(actor: Actor) -> QuerySet[Incident]:
    """What is not ended, among what the actor may read."""
    return readable_by(actor).filter(state__in=RUNNING)


def reported_by(actor: Actor) -> QuerySet[Incident]:
    """What this person reported."""
    return readable_by(actor).filter(reporter_id=actor.staff_id, origin=F("organisation_id"))


def incident_read_by(actor: Actor, number: str) -> Incident:
    """One incident as this actor may read it. Raises Refused(INCIDENT_UNKNOWN)."""
    found = readable_by(actor).select_related("organisation", "handler").filter(number=number).first()
    if found is None:
        raise Refused(Code.INCIDENT_UNKNOWN, number=number)
    return found


def locked(actor: Actor, number: str) -> Incident:
    """The copy of the actor's own organisation, locked until the end of the transaction.

    Raises Refused(INCIDENT_UNKNOWN).
    """
    rows = Incident.objects.select_for_update(of=("self",)).filter(organisation_id=actor.organisation, number=number)
    found = rows.first()
    if found is None:
        raise Refused(Code.INCIDENT_UNKNOWN, number=number)
    return found


def incidents_about(subject: str) -> list[str]:
    """The numbers of the incidents that run and concern a thing ("carrier:T460100-7"), within the scope."""
    rows = Incident.objects.filter(affected__subject=subject, state__in=RUNNING)
    return sorted(set(rows.values_list("number", flat=True)))


def frozen_by_incident(subject: str) -> bool:
    """Whether an incident of this scope holds the thing frozen now."""
    return Affected.objects.filter(subject=subject, state="frozen").exists()


def find_things(actor: Actor, kind: str, text: str) -> list[Thing]:
    """Things of a kind by the beginning of a number or a name, for the report page; none where no system knows them.

    Whoever reports may find what the bureau holds: at most MOST, with their numbers and two words, nothing else.
    """
    freezer = freezer_of(kind)
    if freezer is None or freezer.find is None or not text.strip():
        return []
    place = bureau_of(organisation(actor.organisation))
    with acting_in(place.path):
        return list(freezer.find(Actor.process("incidents", place.code), text.strip()[:40]))[:MOST]


def running_at(actor: Actor) -> QuerySet[Incident]:
    """What runs in the books of the actor's own organisation."""
    return Incident.objects.filter(organisation_id=actor.organisation, state__in=RUNNING)


def plans_of(actor: Actor, kind: str) -> list[Plan]:
    """The versions of the bureau's own plan for a kind of incident, the latest first."""
    return list(Plan.objects.filter(organisation_id=desk_code(actor), kind=kind))


def drills_of(actor: Actor, kind: str) -> list[Drill]:
    """The drills of the bureau for a kind of incident, the latest first."""
    return list(Drill.objects.filter(organisation_id=desk_code(actor), kind=kind))


def desk_code(actor: Actor) -> str:
    """The bureau whose plans the actor's organisation follows."""
    return bureau_of(organisation(actor.organisation)).code


def next_deadline(incident: Incident) -> Deadline | None:
    """The clock that runs out next."""
    return incident.deadlines.filter(met_at__isnull=True).order_by("due_at").first() if incident.runs else None


@dataclass(frozen=True, slots=True)
class Figures:
    """Incidents of a period: how many, how they stand, how many kept their times; per kind and per severity."""

    since: date
    total: int
    running: int
    overdue: int
    closed: int
    false_alarms: int
    in_time: int
    by_kind: dict[str, int]
    by_severity: dict[int, int]


def figures(actor: Actor, days: int = 365) -> Figures:
    """Of the last `days` days, of what arose in the actor's organisation or was reported to it.

    Raises Refused(PERMISSION_MISSING).
    """
    actor.require(Permission.INCIDENT_VIEW)
    since = timezone.now() - timedelta(days=days)
    rows = list(Incident.objects.filter(organisation_id=actor.organisation, reported_at__gte=since))
    ended = [row for row in rows if not row.runs]
    late = set(
        Deadline.objects.filter(incident__in=ended, met_at__gt=F("due_at")).values_list("incident_id", flat=True)
    )
    now = timezone.now()
    return Figures(
        since=timezone.localdate(since),
        total=len(rows),
        running=len(rows) - len(ended),
        overdue=sum(1 for row in rows if row.runs and row.due_at is not None and row.due_at <= now),
        closed=sum(1 for row in ended if row.state == "closed"),
        false_alarms=sum(1 for row in ended if row.state == "false_alarm"),
        in_time=sum(1 for row in ended if row.pk not in late),
        by_kind=_counted([row.kind for row in rows]),
        by_severity=_counted([row.severity for row in rows]),
    )


def _counted(values: list[Any]) -> dict[Any, int]:
    return {value: values.count(value) for value in sorted(set(values))}
