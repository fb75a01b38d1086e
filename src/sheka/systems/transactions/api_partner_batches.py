"""Batches of terminals for partners over REST (S4, S8): their totals of a settlement day against ours, and the upload
of lines when they differ. Another face of 0500 and 0320 (docs/systems/transactions.md); amounts are fen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from sheka.foundation.refusals import Code
from sheka.office.api import Fen, Moment, Request, Router, Shape, changes, reads
from sheka.office.api.books import in_books
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.actions.partner_batches import WantedBatch
from sheka.systems.transactions.api_partner import OWN, Amount, Key, Original, TerminalNumber
from sheka.systems.transactions.batch_models import PartnerBatch
from sheka.systems.transactions.partner_batch_line import resolved, submit_batch
from sheka.systems.transactions.queries_of_acquiring import partner_batch

router = Router()
Number = Annotated[int, Field(ge=0, le=9_999_999_999)]
Sum = Annotated[int, Field(ge=0, le=9_007_199_254_740_991, description="In fen.")]
SWITCH = (
    Code.SWITCH_OUTCOME_UNKNOWN,
    Code.SWITCH_BUSY,
    Code.MESSAGE_MAC_INVALID,
    Code.LINE_NOT_SIGNED_ON,
    Code.TERMINAL_LOCKED,
    Code.TERMINAL_ON_BLOCK_LIST,
    Code.TERMINAL_UNKNOWN,
    Code.TERMINAL_NOT_ACTIVE,
    Code.INSTITUTION_NOT_ACTIVE,
    Code.BUSINESS_DATE_OUT_OF_RANGE,
    Code.SETTLEMENT_DAY_UNKNOWN,
    Code.TRANSACTION_DIFFERS,
    Code.CLOCK_SKEW,
)
DAY = "The day of settlement: `settlement_day` of the requests."


class TotalsShape(Shape):
    """What moved money at a terminal, seen from the personal accounts: purchases and completions are debits, refunds
    credits; what a reversal or void took back counts as reversed.
    """

    debits: Number
    debits_fen: Sum
    debits_reversed: Number
    debits_reversed_fen: Sum
    credits: Number
    credits_fen: Sum
    credits_reversed: Number
    credits_reversed_fen: Sum

    def eight(self) -> list[int]:
        """In the order of fields 74 to 77 and 86 to 89."""
        names = ("credits", "credits_reversed", "debits", "debits_reversed")
        return [getattr(self, name) for name in names] + [getattr(self, f"{name}_fen") for name in names]

    @classmethod
    def of(cls, eight: Sequence[int]) -> TotalsShape:
        names = ("credits", "credits_reversed", "debits", "debits_reversed")
        numbers = dict(zip(names, eight[:4], strict=True))
        return cls(**numbers, **{f"{name}_fen": value for name, value in zip(names, eight[4:], strict=True)})


class SettlementBody(Shape):
    """A terminal's totals of a settlement day. `after_upload`: its lines were uploaded; each is compared then."""

    terminal: TerminalNumber
    settlement_day: date = Field(description=DAY)
    totals: TotalsShape
    after_upload: bool = False


class LineBody(Shape):
    """A request that moved money, by its Idempotency-Key, and how much it moved."""

    request: Original
    amount_fen: Amount


class UploadBody(Shape):
    """Lines of a terminal's batch; more of them in further uploads. The last line about a request counts."""

    terminal: TerminalNumber
    settlement_day: date = Field(description=DAY)
    lines: list[LineBody] = Field(min_length=1, max_length=100)


class SettlementShape(Shape):
    """A comparison and what is known of it. Out of balance is an outcome: upload the lines, then settle again."""

    id: str = Field(description="Its Idempotency-Key.")
    state: Literal["in_balance", "out_of_balance", "refused", "unknown", "not_sent"]
    terminal: str
    settlement_day: date
    stan: int
    after_upload: bool
    theirs: TotalsShape = Field(description="As it was asked.")
    ours: TotalsShape | None = Field(description="As the switch has booked it; null: not known.")
    refusal: int = Field(description="The number of the refusal (4485 out of balance), 0 otherwise.")
    response_code: str = Field(description="Field 39 of the answer.")
    asked_at: Moment
    answered_at: Moment | None


class LineShape(Shape):
    """A line and what the switch says to it: 4470 it has no such transaction, 4486 it has it with other values."""

    request: str
    amount_fen: Fen
    state: Literal["accepted", "refused", "unknown", "not_sent"]
    refusal: int


class UploadShape(Shape):
    """An upload and its lines in their order."""

    id: str = Field(description="Its Idempotency-Key.")
    state: Literal["uploaded", "unknown", "not_sent"]
    terminal: str
    settlement_day: date
    lines: list[LineShape]
    asked_at: Moment
    answered_at: Moment | None


@changes(
    router,
    "/partner/settlements",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=SettlementShape,
    refusals=(*OWN, *SWITCH),
    own_record=True,
)
def make_partner_settlement(request: Request, body: SettlementBody) -> SettlementShape:
    """Compare a terminal's totals of a settlement day with ours."""
    wanted = WantedBatch(body.terminal, body.settlement_day, body.totals.eight(), body.after_upload)
    with in_books(request.actor) as actor:
        row, request.replayed = submit_batch(actor, key=request.key, digest=request.digest, wanted=wanted)
        return _settlement(row)


@reads(
    router,
    "/partner/settlements/{key}",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=SettlementShape,
    refusals=(Code.PARTNER_REQUEST_UNKNOWN, Code.PARTNER_WITHOUT_INSTITUTION),
)
def get_partner_settlement(request: Request, key: Key) -> SettlementShape:
    """What became of a comparison: what the switch has written decides."""
    with in_books(request.actor) as actor:
        return _settlement(resolved(actor, partner_batch(actor, key, upload=False)))


@changes(
    router,
    "/partner/uploads",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=UploadShape,
    refusals=(*OWN, *SWITCH, Code.PARTNER_REQUEST_UNKNOWN, Code.PARTNER_ORIGINAL_UNFIT),
    own_record=True,
)
def make_partner_upload(request: Request, body: UploadBody) -> UploadShape:
    """Upload lines of a terminal's batch, each with its own answer; sent again, only what has none goes out."""
    lines = [(line.request, line.amount_fen) for line in body.lines]
    wanted = WantedBatch(body.terminal, body.settlement_day, lines=lines)
    with in_books(request.actor) as actor:
        row, request.replayed = submit_batch(actor, key=request.key, digest=request.digest, wanted=wanted)
        return _upload(row)


@reads(
    router,
    "/partner/uploads/{key}",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=UploadShape,
    refusals=(Code.PARTNER_REQUEST_UNKNOWN, Code.PARTNER_WITHOUT_INSTITUTION),
)
def get_partner_upload(request: Request, key: Key) -> UploadShape:
    """An upload with the answer to each of its lines."""
    with in_books(request.actor) as actor:
        return _upload(partner_batch(actor, key, upload=True))


def _settlement(row: PartnerBatch) -> SettlementShape:
    states = {"sent": "unknown", "kept": "not_sent"}
    return SettlementShape(
        id=row.key,
        state=states.get(row.state, row.state),
        terminal=row.terminal.number,
        settlement_day=row.settlement_date,
        stan=row.stan,
        after_upload=row.after_upload,
        theirs=TotalsShape.of(row.theirs or [0] * 8),
        ours=None if row.ours is None else TotalsShape.of(row.ours),
        refusal=row.refusal,
        response_code=row.response_code,
        asked_at=row.at,
        answered_at=row.answered_at,
    )


def _upload(row: PartnerBatch) -> UploadShape:
    states = {"sent": "unknown", "kept": "not_sent"}
    return UploadShape(
        id=row.key,
        state=states.get(row.state, row.state),
        terminal=row.terminal.number,
        settlement_day=row.settlement_date,
        lines=[
            LineShape(
                request=one.about.key,
                amount_fen=one.amount,
                state=states.get(one.state, one.state),
                refusal=one.refusal,
            )
            for one in row.lines.select_related("about")
        ],
        asked_at=row.at,
        answered_at=row.answered_at,
    )
