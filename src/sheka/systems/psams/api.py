"""PSAMs over the API: the register with when each was last seen, and one with its use by day (K8)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from django.db.models import Q
from ninja import Path, Query
from pydantic import Field

from sheka.foundation.refusals import Code
from sheka.office.api import Listed, Moment, PageQuery, Request, Router, Shape, page_of, reads
from sheka.office.api.books import in_books
from sheka.office.staff.permissions import Permission
from sheka.systems.psams.models import Psam
from sheka.systems.psams.queries import psam_named, psams_of, use_of
from sheka.systems.transactions.queries_of_blocks import blocks_in_reach, blocks_on_psam, last_uses

router = Router()


class PsamShape(Shape):
    """A PSAM as the register of its organisation has it."""

    serial: str
    state: str
    level: str = Field(description="Whose keys it holds: ministry, province or city; empty for none.")
    terminal: str
    institution: str
    region: str
    last_seen: Moment | None = Field(description="The last purchase that named it.")
    last_counter: int | None = Field(description="Its last terminal transaction sequence.")


class DayShape(Shape):
    """What the switch saw of a PSAM on one day."""

    day: date
    uses: int
    terminals: list[str]


class PsamPageShape(PsamShape):
    """The same with its keys and its use."""

    keys: list[dict[str, object]] = Field(description="Names, versions and check values; never a key.")
    blocked: bool
    days: list[DayShape] = Field(description="Of the last 30 days those on which it was used.")


class BlockShape(Shape):
    """An entry of the block list that is in force."""

    number: int
    kind: str
    subject: str
    since: Moment
    reason: str
    incident: str
    organisation: str


class StateQuery(PageQuery):
    """In which state."""

    state: str = Field("", max_length=12)


@reads(router, "/psams", scope=Permission.PSAM_VIEW, answer=Listed[PsamShape])
def list_psams(request: Request, query: Query[StateQuery]) -> dict[str, object]:
    """PSAMs by serial."""
    with in_books(request.actor) as actor:
        rows = psams_of(actor)
        if query.state:  # as it is shown: what the organisation that has it told goes first
            rows = rows.filter(Q(told_state=query.state) | Q(told_state="", state=query.state))
        return page_of(request, rows, query, ("serial",), _psam)


@reads(router, "/psams/{serial}", scope=Permission.PSAM_VIEW, answer=PsamPageShape, refusals=(Code.PSAM_NOT_HERE,))
def get_psam(request: Request, serial: Annotated[str, Path(max_length=32)]) -> PsamPageShape:
    """One PSAM, and when it was last seen."""
    with in_books(request.actor) as actor:
        found = psam_named(actor, serial)
        days = [
            DayShape(day=one.day, uses=one.uses, terminals=list(one.terminals)) for one in use_of(found) if one.uses
        ]
        return PsamPageShape(
            **_psam(found).model_dump(), keys=found.keys, blocked=bool(blocks_on_psam(serial)), days=days
        )


@reads(router, "/blocks", scope=Permission.BLOCK_VIEW, answer=Listed[BlockShape])
def list_blocks(request: Request, query: Query[PageQuery]) -> dict[str, object]:
    """What the switch refuses, the latest first."""
    with in_books(request.actor) as actor:
        rows = blocks_in_reach(actor).filter(lifted_at=None)
        return page_of(
            request,
            rows,
            query,
            ("-pk",),
            lambda row: BlockShape(
                number=row.pk,
                kind=row.kind,
                subject=row.subject,
                since=row.since,
                reason=row.reason,
                incident=row.incident,
                organisation=row.organisation_id,
            ),
        )


def _psam(found: Psam) -> PsamShape:
    last = last_uses([found.serial]).get(found.serial)
    return PsamShape(
        serial=found.serial,
        state=found.standing,
        level=found.level,
        terminal=found.terminal,
        institution=found.institution,
        region=found.region,
        last_seen=last.seen_at if last else None,
        last_counter=last.last_counter if last and last.last_counter >= 0 else None,
    )
