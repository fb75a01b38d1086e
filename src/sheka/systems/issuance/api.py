"""Issuance over the API: applications and issuer numbers as the client's organisation holds them (I1-I3)."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from ninja import Path, Query

from sheka.foundation.refusals import Code, Refused
from sheka.office.api import Listed, Moment, PageQuery, Request, Router, Shape, page_of, reads
from sheka.office.approvals.models import Proposal
from sheka.office.staff.permissions import Permission
from sheka.systems.issuance.models import Issuer
from sheka.systems.issuance.queries import applications_held_by, issuers_held_by

router = Router()


class Application(Shape):
    """An application to issue: where it stands, never what was written in it."""

    number: UUID
    applicant: str
    state: str
    version: int
    made_at: Moment
    ended_at: Moment | None


class IssuerShape(Shape):
    """A right to issue."""

    number: str
    organisation: str
    quantity: int
    valid_from: date
    valid_to: date


@reads(router, "/issuance/applications", scope=Permission.ISSUANCE_VIEW, answer=Listed[Application])
def list_applications(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """Applications, the latest first."""
    rows = applications_held_by(request.actor.organisation)
    return page_of(request, rows, page, ("-made_at", "-pk"), _application)


@reads(
    router,
    "/issuance/applications/{number}",
    scope=Permission.ISSUANCE_VIEW,
    answer=Application,
    refusals=(Code.ISSUANCE_UNKNOWN,),
)
def get_application(request: Request, number: Annotated[UUID, Path()]) -> Application:
    """One application."""
    found = applications_held_by(request.actor.organisation).filter(number=number).first()
    if found is None:
        raise Refused(Code.ISSUANCE_UNKNOWN, number=number)
    return _application(found)


@reads(router, "/issuance/issuers", scope=Permission.ISSUANCE_VIEW, answer=Listed[IssuerShape])
def list_issuers(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """Issuer identification numbers."""
    return page_of(request, issuers_held_by(request.actor.organisation), page, ("number", "pk"), _issuer)


def _application(found: Proposal) -> Application:
    return Application(
        number=found.number,
        applicant=found.origin,
        state=found.state,
        version=found.version,
        made_at=found.made_at,
        ended_at=found.ended_at,
    )


def _issuer(found: Issuer) -> IssuerShape:
    return IssuerShape(
        number=found.number,
        organisation=found.organisation,
        quantity=found.quantity,
        valid_from=found.valid_from,
        valid_to=found.valid_to,
    )
