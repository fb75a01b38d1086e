"""Accounts over the API: those of a card's holder, the statement of one, deposits. Amounts are fen (S6)."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.refusals import Code
from sheka.office.api import Fen, Listed, Moment, PageQuery, Request, Router, Shape, asks, changes, page_of, reads
from sheka.office.api.books import in_books
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.deposit import MOST, deposit_by_number
from sheka.systems.accounts.models import Account, Entry, EntryKind
from sheka.systems.accounts.queries import account_read, accounts_of_card, statement

router = Router()


class AccountShape(Shape):
    """A personal account."""

    number: str
    scheme: str = Field(description="The scheme of insurance.", examples=["310"])
    state: str
    balance_fen: Fen
    organisation: str


class Accounts(Shape):
    """All accounts of one person."""

    items: list[AccountShape]


class CardOfAccounts(Shape):
    """The card whose holder's accounts are asked for."""

    card_number: str = Field(pattern=r"^[0-9A-Z]{9}$", examples=["D2143569X"])


class EntryShape(Shape):
    """One side of a posting, above zero when it adds to the account."""

    posting: int
    kind: str = Field(description="purchase, reversal, deposit, correction, interest and so on.")
    amount_fen: Fen
    balance_after_fen: Fen | None
    document_date: date
    booked_at: Moment


class StatementQuery(PageQuery):
    """Which part of a statement."""

    since: date | None = Field(None, description="Document days from here.")
    until: date | None = Field(None, description="Up to this day.")


class DepositShape(Shape):
    """One payment in. The same `client_id` with the same content is answered as before."""

    client_id: UUID
    account: str = Field(pattern=r"^[0-9A-Za-z]{1,29}$", description="The number of a personal account.")
    amount_fen: int = Field(ge=1, le=10**15 - 1)
    reference: str = Field("", max_length=60)


class Deposits(Shape):
    """Payments from one fund: the total is what they must add up to, or nothing is booked."""

    fund: str = Field(pattern=r"^[0-9A-Za-z]{1,20}$", description="The fund's code.", examples=["310"])
    total_fen: int = Field(ge=1, le=10**15 - 1)
    deposits: list[DepositShape] = Field(min_length=1, max_length=MOST)


class DepositAnswer(Shape):
    """What became of one payment: `refusal` 0 when it is booked, now or by an equal request before."""

    client_id: UUID
    posting: int
    refusal: int = Field(description="The number of a refusal; a refused number stays refused.")
    differs: str = Field(description="Which field differs from what the number stands for, if one does.")


class DepositAnswers(Shape):
    """One answer for each payment, in the order they were sent."""

    booked: int
    items: list[DepositAnswer]


@changes(
    router,
    "/deposits",
    scope=Permission.ACCOUNT_DEPOSIT,
    answer=DepositAnswers,
    refusals=(Code.DEPOSIT_TOTAL, Code.DEPOSIT_EMPTY, Code.DEPOSIT_TOO_MANY, Code.ACCOUNT_UNKNOWN),
    limit=512 * 2**10,
)
def book_deposits(request: Request, batch: Deposits) -> DepositAnswers:
    """Book up to a thousand payments in from a fund, each on its own; more go in a file."""
    rows = [(one.client_id, one.account, one.amount_fen, one.reference) for one in batch.deposits]
    answers = deposit_by_number(request.actor, fund=batch.fund, deposits=rows, total=batch.total_fen)
    items = [
        DepositAnswer(client_id=one.client_id, posting=one.posting, refusal=one.refusal, differs=one.differs or "")
        for one in answers
    ]
    return DepositAnswers(booked=sum(one.refusal == 0 for one in answers), items=items)


@asks(router, "/accounts/search", scope=Permission.ACCOUNT_VIEW, answer=Accounts, refusals=(Code.CARD_UNKNOWN,))
def search_accounts(request: Request, question: CardOfAccounts) -> Accounts:
    """The accounts of the person who holds a card, with their balances now; an audited read."""
    with in_books(request.actor) as actor:
        found = accounts_of_card(actor, question.card_number)
    return Accounts(items=[_account(account) for account in found])


@reads(
    router,
    "/accounts/{number}/entries",
    scope=Permission.ACCOUNT_VIEW,
    answer=Listed[EntryShape],
    refusals=(Code.ACCOUNT_UNKNOWN,),
)
def list_entries(
    request: Request, number: Annotated[str, Path(pattern=r"^[0-9A-Za-z]{1,29}$")], query: Query[StatementQuery]
) -> dict[str, object]:
    """The statement of an account that the client's organisation keeps, the latest first; an audited read."""
    rows = statement(account_read(request.actor, number))
    if query.since is not None:
        rows = rows.filter(document_date__gte=query.since)
    if query.until is not None:
        rows = rows.filter(document_date__lte=query.until)
    return page_of(request, rows, query, ("-posting_id",), _entry)


def _account(account: Account) -> AccountShape:
    return AccountShape(
        number=account.number,
        scheme=account.scheme,
        state=account.state,
        balance_fen=account.balance or 0,
        organisation=account.organisation_id,
    )


def _entry(entry: Entry) -> EntryShape:
    return EntryShape(
        posting=entry.posting_id,
        kind=EntryKind(entry.kind).name.lower(),
        amount_fen=entry.amount,
        balance_after_fen=entry.balance_after,
        document_date=entry.document_date,
        booked_at=entry.booked_at,
    )
