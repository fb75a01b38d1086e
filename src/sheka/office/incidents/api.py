"""Incidents over the API: report one, and how those that the client may read stand. A client decides nothing (K9)."""

from __future__ import annotations

from typing import Annotated

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.refusals import Code
from sheka.office.api import Listed, Moment, PageQuery, Request, Router, Shape, changes, page_of, reads
from sheka.office.api.books import in_books
from sheka.office.incidents.actions.report_incident import LONGEST, MOST, SHORTEST, report_incident
from sheka.office.incidents.models import Incident
from sheka.office.incidents.queries import incident_read_by, readable_by
from sheka.office.staff.permissions import Permission

router = Router()
SUBJECT = r"^[a-z_]{1,30}:[A-Za-z0-9._-]{1,80}$"
Subject = Annotated[str, Field(pattern=SUBJECT, max_length=120, examples=["carrier:T460100-7"])]


class Report(Shape):
    """What is reported."""

    kind: str = Field(pattern=r"^[a-z_]{1,40}$", examples=["lost_carrier"])
    affected: list[Subject] = Field(default_factory=list, max_length=MOST, description="What it concerns.")
    about: str = Field(
        min_length=SHORTEST, max_length=LONGEST, description="What happened; no key, no person's number."
    )
    noticed_at: Moment | None = Field(None, description="When it was noticed; now, if left out.")
    severity: int | None = Field(None, ge=1, le=4, description="I to IV of GB/T 20986-2023; the plan's, if left out.")


class AffectedShape(Shape):
    """A thing that an incident concerns."""

    subject: str
    state: str = Field(description="listed, frozen, failed, thawed, replaced, destroyed or waived.")


class ReceiptShape(Shape):
    """An organisation above that was told."""

    organisation: str
    sent_at: Moment
    arrived_at: Moment | None
    read_at: Moment | None


class IncidentShape(Shape):
    """How an incident stands; what was written in it is shown to people."""

    number: str
    kind: str
    severity: int
    state: str
    origin: str = Field(description="The organisation that handles it.")
    noticed_at: Moment
    reported_at: Moment
    due_at: Moment | None = Field(description="The next deadline that is not met.")
    ended_at: Moment | None
    affected: list[AffectedShape]
    receipts: list[ReceiptShape]


@reads(router, "/incidents", scope=Permission.INCIDENT_VIEW, answer=Listed[IncidentShape])
def list_incidents(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """The incidents of the client's organisation and those reported to it, the latest first."""
    return page_of(request, readable_by(request.actor), page, ("-reported_at", "-pk"), _incident)


@reads(
    router,
    "/incidents/{number}",
    scope=Permission.INCIDENT_VIEW,
    answer=IncidentShape,
    refusals=(Code.INCIDENT_UNKNOWN,),
)
def get_incident(
    request: Request, number: Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,40}$", max_length=40)]
) -> IncidentShape:
    """One incident."""
    return _incident(incident_read_by(request.actor, number))


@changes(
    router,
    "/incidents",
    scope=Permission.INCIDENT_REPORT,
    answer=IncidentShape,
    refusals=(
        Code.INCIDENT_KIND,
        Code.INCIDENT_SUBJECT,
        Code.INCIDENT_TEXT,
        Code.INCIDENT_MOMENT,
        Code.INCIDENT_SEVERITY,
        Code.INCIDENT_TOO_MANY,
    ),
)
def report(request: Request, reported: Report) -> IncidentShape:
    """Report an incident: in the same moment those above are told and the plan's freezes run."""
    made = report_incident(
        request.actor,
        kind=reported.kind,
        subject=reported.affected,
        about=reported.about,
        noticed_at=reported.noticed_at,
        severity=reported.severity,
    )
    with in_books(request.actor):  # a partner's report stands in the books of its bureau
        return _incident(made)


def _incident(row: Incident) -> IncidentShape:
    return IncidentShape(
        number=row.number,
        kind=row.kind,
        severity=row.severity,
        state=row.state,
        origin=row.origin,
        noticed_at=row.noticed_at,
        reported_at=row.reported_at,
        due_at=row.due_at,
        ended_at=row.ended_at,
        affected=[AffectedShape(subject=one.subject, state=one.state) for one in row.affected.all()],
        receipts=[
            ReceiptShape(organisation=one.place, sent_at=one.sent_at, arrived_at=one.arrived_at, read_at=one.read_at)
            for one in row.receipts.all()
        ],
    )
