"""Accounts over the API: the accounts of a card's holder, and the statement of an account. Amounts are fen (S6)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.refusals import Code
from sheka.office.api import Fen, Listed, Moment, PageQuery, Request, Router, Shape, asks, page_of, reads
from sheka.office.api.books import in_books
from sheka.office.staff.permissions import Permission
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
    kind: str = Field(description="purchase, reversal, deposit or correction.")
    amount_fen: Fen
    balance_after_fen: Fen | None
    document_date: date
    booked_at: Moment


class StatementQuery(PageQuery):
    """Which part of a statement."""

    since: date | None = Field(None, description="Document days from here.")
    until: date | None = Field(None, description="Up to this day.")


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
