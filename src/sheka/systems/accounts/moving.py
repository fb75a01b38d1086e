"""An account on its way to another city of the node (S6), told by messages: each side books in its own books only.

    out: personal → transit, "accounts.moving"      →  in: person and account taken, transit → personal
    out: transit → bank, the order to pay             ←  "accounts.moving_taken", with the bank account of that city
         "accounts.moving_paid"                       →  in: bank → transit

Both transit accounts end at zero. A message that comes twice finds its row and books nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.messages.outbox import send
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.open_account import open_party_account
from sheka.systems.accounts.booking import book_all, number_from
from sheka.systems.accounts.models import Account, EntryKind, Kind, Moving
from sheka.systems.accounts.payees import Payee
from sheka.systems.accounts.policy import ACCOUNTS, in_force
from sheka.systems.accounts.posting import Item
from sheka.systems.accounts.states import MOVING_IN, MOVING_OUT

LEFT, TAKEN, PAID = "accounts.moving", "accounts.moving_taken", "accounts.moving_paid"
PAYING = "PAYOUT"
"""The party of the bank account from which an organisation pays, and on which it is paid by other cities."""


def send_away(
    books: Actor,
    account: Account,
    *,
    to: str,
    amount: int,
    source: Account,
    reference: UUID,
    document: str,
    proposal: UUID | None,
) -> Moving:
    """Book `amount` fen from `source` to the transit account towards the city `to`, and tell that city.

    `account` is the one that moved; `source` that account, or where its late money lay.
    """
    if amount:
        transit = open_party_account(books, kind=Kind.TRANSIT, party=to)
        book_all(books, [Item(number_from("out", reference), EntryKind.MOVING, source, transit, amount, document)])
    made = Moving.objects.create(
        reference=reference,
        side=Moving.OUT,
        organisation_id=books.organisation,
        other=to,
        account=account,
        amount=amount,
        document=document,
        proposal=proposal,
        state=MOVING_OUT.initial,
        made_at=timezone.now(),
    )
    payload = {
        "reference": str(reference),
        "account": account.number,
        "person": account.person_id,
        "scheme": account.scheme,
        "amount": amount,
        "document": document,
    }
    send(books.organisation, to, LEFT, payload)
    return made


def take_in(
    books: Actor, account: Account, *, into: Account, sender: str, reference: UUID, told: dict[str, Any]
) -> tuple[Moving, int | None]:
    """Book what comes from `sender` to `into` in these books, for `account`, and answer with where to pay it.

    Returns the row of this side and the number of the posting, None where no money came.
    """
    amount, document, posting = int(told["amount"]), str(told["document"]), None
    if amount:
        transit = open_party_account(books, kind=Kind.TRANSIT, party=sender)
        items = [Item(number_from("in", reference), EntryKind.MOVING, transit, into, amount, document)]
        posting = book_all(books, items)[0].posting
    made = Moving.objects.create(
        reference=reference,
        side=Moving.IN,
        organisation_id=books.organisation,
        other=sender,
        account=account,
        other_account=str(told["account"]),
        amount=amount,
        document=document,
        state=MOVING_IN.initial,
        made_at=timezone.now(),
    )
    answer = {"reference": str(reference), "account": account.number, "payee": receiving(books.organisation)}
    send(books.organisation, sender, TAKEN, answer)
    return made, posting


def settle(books: Actor, row: Moving) -> int | None:
    """Close the transit account of a side against the bank; the number of the posting, None where no money moved."""
    table = MOVING_OUT if row.side == Moving.OUT else MOVING_IN
    row.state, row.settled_at = table.after(row.state, "settle"), timezone.now()
    row.save(update_fields=["state", "settled_at", "other_account"])
    if not row.amount:
        return None
    transit = open_party_account(books, kind=Kind.TRANSIT, party=row.other)
    bank = open_party_account(books, kind=Kind.BANK, party=PAYING)
    debit, credit = (transit, bank) if row.side == Moving.OUT else (bank, transit)
    key = number_from("settled", row.side, row.reference)
    return book_all(books, [Item(key, EntryKind.MOVING, debit, credit, row.amount, row.document)])[0].posting


def locked_moving(reference: UUID, side: str, other: str) -> Moving:
    """The row of this side, locked. Raises Refused(MOVING_UNKNOWN), also where it belongs to another city."""
    found = Moving.objects.select_for_update(of=("self",)).select_related("account")
    row = found.filter(reference=reference, side=side, other=other).first()
    if row is None:
        raise Refused(Code.MOVING_UNKNOWN, reference=reference)
    return row


def receiving(code: str, day: date | None = None) -> Payee:
    """Where a city of the node is paid by the others: the row of the policy for it, or the one for all ("*").

    Raises Refused(ACCOUNT_POLICY).
    """
    today = day or timezone.localdate()
    try:
        row = in_force(ACCOUNTS, "receiving", today, organisation=code)
    except Refused:
        row = in_force(ACCOUNTS, "receiving", today, organisation="*")
    name = row.get("name") or organisation(code).name
    return {"name": name, "bank": row["bank"], "bank_account": row["bank_account"]}
