"""Transactions over the API: an institution reads its own, a bureau those of its institutions. Amounts are fen (S4)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.numbers import mask_card_number
from sheka.foundation.refusals import Code, Refused
from sheka.office.api import Fen, Listed, Moment, PageQuery, Request, Router, Shape, page_of, reads
from sheka.office.api.books import in_books
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.api_partner import router as partner
from sheka.systems.transactions.api_partner_batches import router as partner_batches
from sheka.systems.transactions.models import Institution, Transaction, TransactionKind
from sheka.systems.transactions.queries import institutions_of, numbered, transactions_read_by

router = Router()
router.add_router("", partner)
router.add_router("", partner_batches)


class InstitutionShape(Shape):
    """A designated institution that takes the card."""

    code: str
    name: str
    state: str
    organisation: str


class TransactionShape(Shape):
    """One request of a terminal and its answer. `refusal` 0: approved."""

    id: int
    kind: str = Field(description="purchase or reversal.")
    institution: str
    terminal: str
    business_date: date
    stan: int
    card_number: str = Field(description="Masked.")
    amount_fen: Fen
    refusal: int
    reference: str = Field(description="The retrieval reference number.")
    booked_at: Moment


class DayQuery(PageQuery):
    """Of which business day."""

    business_date: date | None = Field(None)


@reads(router, "/institutions", scope=Permission.TRANSACTION_VIEW, answer=Listed[InstitutionShape])
def list_institutions(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """Institutions by code; a partner finds itself."""
    with in_books(request.actor) as actor:
        return page_of(request, institutions_of(actor), page, ("code",), _institution)


@reads(router, "/transactions", scope=Permission.TRANSACTION_VIEW, answer=Listed[TransactionShape])
def list_transactions(request: Request, query: Query[DayQuery]) -> dict[str, object]:
    """Transactions, those of the latest business day first, and of a day the latest booked first."""
    with in_books(request.actor) as actor:
        rows = transactions_read_by(actor, on=query.business_date)
        return page_of(request, rows, query, ("-business_date", "-id"), _transaction)


@reads(
    router,
    "/transactions/{number}",
    scope=Permission.TRANSACTION_VIEW,
    answer=TransactionShape,
    refusals=(Code.ORIGINAL_UNKNOWN,),
)
def get_transaction(request: Request, number: Annotated[int, Path(ge=1, le=2**62)]) -> TransactionShape:
    """One transaction by its id."""
    with in_books(request.actor) as actor:
        found = numbered(transactions_read_by(actor), number).first()
        if found is None:
            raise Refused(Code.ORIGINAL_UNKNOWN)
        return _transaction(found)


def _institution(found: Institution) -> InstitutionShape:
    return InstitutionShape(code=found.code, name=found.name, state=found.state, organisation=found.organisation_id)


def _transaction(found: Transaction) -> TransactionShape:
    return TransactionShape(
        id=found.id,
        kind=TransactionKind(found.kind).name.lower(),
        institution=found.institution.code,
        terminal=found.terminal.number,
        business_date=found.business_date,
        stan=found.stan,
        card_number=mask_card_number(found.card_number),
        amount_fen=found.amount,
        refusal=found.refusal,
        reference=found.rrn,
        booked_at=found.booked_at,
    )
