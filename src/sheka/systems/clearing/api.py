"""Clearing over the API: the days, what each institution is owed, and the acquirer's file of a day. Fen (S8)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.refusals import Code, Refused
from sheka.office.api import Fen, Listed, Moment, PageQuery, Request, Router, Shape, changes, page_of, reads
from sheka.office.api.books import in_books
from sheka.office.organisations.queries import is_partner, organisation
from sheka.office.staff.permissions import Permission
from sheka.systems.clearing.actions.import_file import import_file
from sheka.systems.clearing.models import AcquirerFile, Day
from sheka.systems.clearing.queries import days_read_by, files_of, nets_of

router = Router()
FILE_LIMIT = 10 * 2**20
OnDay = Annotated[date, Path(examples=["2026-11-20"], description="The settlement date.")]


class DayShape(Shape):
    """A sealed day. To a partner the sums are told by institution only (`nets`)."""

    organisation: str
    settlement_date: date
    state: str
    result: str = Field(description="flat, different or waiting.")
    sealed_at: Moment


class NetShape(Shape):
    """What an institution is owed for a day."""

    institution: str
    count: int
    purchases_fen: Fen
    reversals_fen: Fen
    adjustments_fen: Fen = Field(
        description="Transfers booked on its account that day beside card transactions, such as adjustments of"
        " exception cases; above zero is owed to it."
    )
    amount_fen: Fen = Field(description="purchases_fen - reversals_fen + adjustments_fen.")


class FileShape(Shape):
    """An acquirer's file as it was taken."""

    acquirer: str
    settlement_date: date
    digest: str = Field(description="SM3 of the file without its trailer.")
    count: int
    purchases_fen: Fen
    reversals_fen: Fen
    imported_at: Moment


class DayDetails(DayShape):
    """A day with its files and what is owed; of a partner only its own."""

    files: list[FileShape]
    nets: list[NetShape]


@reads(router, "/clearing/days", scope=Permission.CLEARING_VIEW, answer=Listed[DayShape])
def list_clearing_days(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """Sealed days, the latest first."""
    with in_books(request.actor) as actor:
        return page_of(request, days_read_by(actor), page, ("-settlement_date", "-pk"), _day)


@reads(
    router,
    "/clearing/days/{day}",
    scope=Permission.CLEARING_VIEW,
    answer=DayDetails,
    refusals=(Code.CLEARING_DAY_UNKNOWN,),
)
def get_clearing_day(request: Request, day: OnDay) -> DayDetails:
    """One day of the client's city."""
    with in_books(request.actor) as actor:
        found = days_read_by(actor).filter(settlement_date=day).order_by("organisation_id").first()
        if found is None:
            raise Refused(Code.CLEARING_DAY_UNKNOWN, day=day.isoformat())
        files, nets = files_of(found), nets_of(found)
        if is_partner(organisation(actor.organisation)):
            files, nets = (
                files.filter(acquirer=actor.organisation),
                nets.filter(institution__code=actor.organisation),
            )
        return DayDetails(
            **_day(found).model_dump(),
            files=[_file(file) for file in files],
            nets=[
                NetShape(
                    institution=net.institution.code,
                    count=net.count,
                    purchases_fen=net.purchases,
                    reversals_fen=net.reversals,
                    adjustments_fen=net.adjustments,
                    amount_fen=net.amount,
                )
                for net in nets
            ],
        )


@changes(
    router,
    "/clearing/files",
    scope=Permission.CLEARING_IMPORT,
    answer=FileShape,
    refusals=(
        Code.CLEARING_FILE_HEADER,
        Code.CLEARING_FILE_LINE,
        Code.CLEARING_FILE_TRAILER,
        Code.CLEARING_FILE_DIGEST,
        Code.CLEARING_FILE_TWICE,
        Code.CLEARING_DAY_UNKNOWN,
        Code.INSTITUTION_UNKNOWN,
    ),
    media_types=("text/plain",),
    limit=FILE_LIMIT,
)
def upload_clearing_file(request: Request) -> FileShape:
    """The acquirer's file of a day, as docs/systems/clearing.md lays it down. The same file again is no error."""
    with in_books(request.actor) as actor:
        return _file(import_file(actor, data=request.body))


def _day(found: Day) -> DayShape:
    return DayShape(
        organisation=found.organisation_id,
        settlement_date=found.settlement_date,
        state=found.state,
        result=found.result,
        sealed_at=found.sealed_at,
    )


def _file(found: AcquirerFile) -> FileShape:
    return FileShape(
        acquirer=found.acquirer,
        settlement_date=found.day.settlement_date,
        digest=found.digest,
        count=found.count,
        purchases_fen=found.purchases,
        reversals_fen=found.reversals,
        imported_at=found.imported_at,
    )
