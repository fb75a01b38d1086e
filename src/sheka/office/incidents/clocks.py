"""The clocks of an incident: until when it is taken, contained, its cause found, and closed (K9).

They run from the report, day and night, whatever the calendar says; every time is kept with its zone.
"""

from __future__ import annotations

from datetime import datetime

from sheka.foundation.terms import Term
from sheka.office.incidents.models import Deadline, Incident
from sheka.office.incidents.plans import PlanContent

CLOCKS = {
    "acknowledge": Term("接手处置", "Taken in hand"),
    "contain": Term("控制事态", "Contained"),
    "cause": Term("查明原因", "Cause found"),
    "close": Term("结案", "Closed"),
}
MET_BY = {"take": "acknowledge", "contain": "contain", "find_cause": "cause", "close": "close", "dismiss": "close"}
"""Which verb stops which clock."""


def start_clocks(incident: Incident, start: datetime) -> None:
    """All clocks from `start`: of the report, or of the moment at which it was opened again."""
    for name, due in PlanContent.of(incident.plan).deadlines(start).items():
        Deadline.objects.update_or_create(
            incident=incident, name=name, defaults={"due_at": due, "met_at": None, "told_at": None}
        )


def stop_clock(incident: Incident, verb: str, at: datetime) -> None:
    """The clock that this verb stops; a verb that ends the incident stops them all."""
    open_ones = incident.deadlines.filter(met_at__isnull=True)
    if verb not in ("close", "dismiss"):
        open_ones = open_ones.filter(name=MET_BY.get(verb, ""))
    open_ones.update(met_at=at)
