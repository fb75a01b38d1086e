"""Organisations over the API: those that the client's organisation reaches."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.refusals import Code, Refused
from sheka.office.api import Listed, PageQuery, Request, Router, Shape, page_of, reads
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import organisations_below
from sheka.office.staff.permissions import Permission

router = Router()


class OrganisationShape(Shape):
    """An office or a partner."""

    code: str = Field(examples=["460100"])
    name: str
    name_en: str
    kind: str
    region: str = Field(description="GB/T 2260.")
    parent: str | None
    valid_from: date
    valid_to: date | None


@reads(router, "/organisations", scope=Permission.ORGANISATION_VIEW, answer=Listed[OrganisationShape])
def list_organisations(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """The client's organisation and all below it, by code."""
    return page_of(request, organisations_below(request.actor), page, ("code",), _shape)


@reads(
    router,
    "/organisations/{code}",
    scope=Permission.ORGANISATION_VIEW,
    answer=OrganisationShape,
    refusals=(Code.ORGANISATION_UNKNOWN,),
)
def get_organisation(
    request: Request, code: Annotated[str, Path(pattern=r"^[0-9A-Za-z-]{1,20}$", examples=["460100"])]
) -> OrganisationShape:
    """One of them."""
    found = organisations_below(request.actor).filter(code=code).first()
    if found is None:
        raise Refused(Code.ORGANISATION_UNKNOWN, organisation=code)
    return _shape(found)


def _shape(found: Organisation) -> OrganisationShape:
    return OrganisationShape(
        code=found.code,
        name=found.name,
        name_en=found.name_en,
        kind=found.kind,
        region=found.region,
        parent=found.parent_id,
        valid_from=found.valid_from,
        valid_to=found.valid_to,
    )
