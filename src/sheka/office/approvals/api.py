"""Requests for approval over the API: where they stand. A client never decides: a decision needs a person (§2.5)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.refusals import Code, Refused
from sheka.office.api import Listed, Moment, PageQuery, Request, Router, Shape, page_of, reads
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.queries import readable_by
from sheka.office.staff.permissions import Permission

router = Router()


class Approval(Shape):
    """A request: its state and whose turn it is; neither what was asked nor who decided."""

    number: UUID
    kind: str
    state: str
    version: int
    digest: str = Field(description="SM3 of what is decided.")
    step: int = Field(description="The step in turn, from 0.")
    turn: str = Field(description="The organisation whose turn it is.")
    made_at: Moment
    due_at: Moment | None
    expires_at: Moment
    ended_at: Moment | None


@reads(router, "/approvals", scope=Permission.APPROVAL_STATUS, answer=Listed[Approval])
def list_approvals(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """The requests whose matter the client may read, the latest first."""
    return page_of(request, readable_by(request.actor), page, ("-made_at", "-pk"), _approval)


@reads(
    router,
    "/approvals/{number}",
    scope=Permission.APPROVAL_STATUS,
    answer=Approval,
    refusals=(Code.APPROVAL_UNKNOWN,),
)
def get_approval(request: Request, number: Annotated[UUID, Path()]) -> Approval:
    """One request."""
    found = readable_by(request.actor).filter(number=number).first()
    if found is None:
        raise Refused(Code.APPROVAL_UNKNOWN, number=number)
    return _approval(found)


def _approval(found: Proposal) -> Approval:
    return Approval(
        number=found.number,
        kind=found.kind,
        state=found.state,
        version=found.version,
        digest=found.digest,
        step=found.step,
        turn=found.turn,
        made_at=found.made_at,
        due_at=found.due_at,
        expires_at=found.expires_at,
        ended_at=found.ended_at,
    )
