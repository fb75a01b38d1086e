"""Exception cases over the API (S10)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.refusals import Code, Refused
from sheka.office.api import Fen, Listed, Moment, PageQuery, Request, Router, Shape, page_of, reads
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.exceptions.queries import cases_of

router = Router()


class Case(Shape):
    """An abnormal item."""

    number: str
    organisation: str
    reason: str = Field(description="only_ours, only_theirs, amount or duplicate.")
    subject: str = Field(description="Institution, terminal, business date, STAN and kind.")
    amount_fen: Fen
    state: str
    due_on: date
    opened_at: Moment
    closed_at: Moment | None


class CaseQuery(PageQuery):
    """Which cases."""

    state: str | None = Field(None, pattern=r"^[a-z_]{1,20}$", examples=["open"])


@reads(router, "/exceptions", scope=Permission.EXCEPTION_VIEW, answer=Listed[Case])
def list_exceptions(request: Request, query: Query[CaseQuery]) -> dict[str, object]:
    """Cases, the most urgent first."""
    return page_of(request, cases_of(request.actor, state=query.state), query, ("due_on", "number"), _case)


@reads(router, "/exceptions/{number}", scope=Permission.EXCEPTION_VIEW, answer=Case, refusals=(Code.EXCEPTION_UNKNOWN,))
def get_exception(request: Request, number: Annotated[str, Path(pattern=r"^[0-9A-Za-z-]{1,30}$")]) -> Case:
    """One case."""
    found = cases_of(request.actor).filter(number=number).first()
    if found is None:
        raise Refused(Code.EXCEPTION_UNKNOWN, case=number)
    return _case(found)


def _case(found: ExceptionCase) -> Case:
    return Case(
        number=found.number,
        organisation=found.organisation_id,
        reason=found.reason,
        subject=found.subject,
        amount_fen=found.amount,
        state=found.state,
        due_on=found.due_on,
        opened_at=found.opened_at,
        closed_at=found.closed_at,
    )
