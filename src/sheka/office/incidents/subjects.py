"""Documents are kept with incidents and with drills: who may read the one may see that they are there (K9)."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.documents.subjects import named, subject
from sheka.office.incidents.models import Drill, Incident
from sheka.office.incidents.queries import incident_read_by, readable_by
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


def _incidents(actor: Actor) -> QuerySet[Incident, str]:
    return named("incident", readable_by(actor), "number")


def _drills(actor: Actor) -> QuerySet[Drill, str]:
    own = Drill.objects.filter(organisation_id=actor.organisation)
    return named("drill", own if actor.may(Permission.INCIDENT_VIEW) else own.none(), "pk")


@subject(
    "incident",
    Term("安全事件", "Incident"),
    page=lambda name: ("console:incidents_one", (name,)),
    names=_incidents,
)
def incident_named(actor: Actor, name: str) -> Incident:
    """Raises Refused(INCIDENT_UNKNOWN)."""
    return incident_read_by(actor, name)


@subject(
    "drill",
    Term("应急演练", "Drill"),
    page=lambda name: ("console:incidents_drill", (name,)),
    names=_drills,
)
def drill_numbered(actor: Actor, name: str) -> Drill:
    """Raises Refused(INCIDENT_DRILL_UNKNOWN)."""
    mine = Drill.objects.filter(organisation_id=actor.organisation)
    found = mine.filter(pk=int(name)).first() if name.isdecimal() and actor.may(Permission.INCIDENT_VIEW) else None
    if found is None:
        raise Refused(Code.INCIDENT_DRILL_UNKNOWN)
    return found
