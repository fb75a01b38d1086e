"""What an approval about the end of a personal account carries out (S6), in the transaction of the last approval:
interest up to the day before, the money where it goes, the account closed. All of it or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from sheka.foundation.money import plain_yuan
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.book_interest import take_waiting
from sheka.systems.accounts.actions.keep_late_money import locked_late_money, over, suspense_of
from sheka.systems.accounts.actions.open_account import open_party_account
from sheka.systems.accounts.actions.propose_ending import endable, must_receive
from sheka.systems.accounts.booking import book_all, number_from
from sheka.systems.accounts.interest import ZONE, accrued
from sheka.systems.accounts.models import Account, EntryKind, InterestLine, InterestRun, Kind, Payout, Succession
from sheka.systems.accounts.moving import PAYING, send_away
from sheka.systems.accounts.payees import Payee, shares
from sheka.systems.accounts.policy import rates
from sheka.systems.accounts.posting import Item
from sheka.systems.accounts.states import ACCOUNT


@dataclass(frozen=True, slots=True)
class Ending:
    """An account at its end: who decided, who books, what is left."""

    actor: Actor
    books: Actor
    proposal: Proposal
    account: Account
    amount: int


def moved(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """To another city of the node, or to an area outside. Raises Refused: what `endable` and the ledger refuse,
    MOVE_TARGET.
    """
    if "to" not in proposal.payload:
        ending = _begin(actor, proposal)
        paid = _pay_out(ending, [(proposal.payload["payee"], ending.amount)], EntryKind.MOVING, "moving")
        return _end(ending, "moving", {"area": proposal.payload["area"], "payouts": paid})
    ending = _begin(actor, proposal)
    _carry_over(ending, proposal.payload["to"])
    return {"account": ending.account.number, "amount": ending.amount, "city": proposal.payload["to"]}


def closed(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """Paid out to the holder. Raises Refused: what `endable` and the ledger refuse."""
    ending = _begin(actor, proposal)
    paid = _pay_out(ending, [(proposal.payload["payee"], ending.amount)], EntryKind.CLOSING, "closing")
    return _end(ending, "closing", {"payouts": paid})


def inherited(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """Divided among the heirs. Raises Refused: what `endable`, `must_receive` and the ledger refuse."""
    ending = _begin(actor, proposal)
    accounts, paid = _divide(ending, proposal.payload["heirs"], "inheritance", source=ending.account)
    return _end(ending, "inheritance", {"accounts": accounts, "payouts": paid})


def late_paid(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """Late money, divided as the balance was. Raises Refused: LATE_MONEY_UNKNOWN, and what the ledger refuses."""
    books = Actor.process("accounts", proposal.organisation_id)
    row = locked_late_money(books, proposal.payload["late"])
    if row.state != "waiting" or row.amount != proposal.payload["amount"]:
        raise Refused(Code.LATE_MONEY_UNKNOWN)
    ending = Ending(actor, books, proposal, row.account, row.amount)
    accounts, paid = _divide(ending, proposal.payload["payees"], "late", source=suspense_of(books))
    row.proposal = proposal.number
    over(books, row, "pay")
    record(actor, "account.late_money_paid", f"account:{row.account.number}", amount=row.amount)
    return {"amount": row.amount, "accounts": accounts, "payouts": paid}


def interest_due(account: Account, until: date) -> int:
    """The interest of an account that no run has paid, up to and with `until`: of every year without a run, and of the
    days of this one; each stretch is rounded once. Raises Refused(ACCOUNT_POLICY).
    """
    runs = InterestRun.objects.filter(
        organisation_id=account.organisation_id, scheme=account.scheme, state__in=("booked", "booking")
    )
    first, total = account.opened_at.astimezone(ZONE).date(), 0
    for year in sorted(runs.filter(year__gte=first.year).values_list("year", flat=True)):
        total += accrued(account.pk, account.scheme, account.organisation_id, first, date(year - 1, 12, 31))[0]
        first = date(year + 1, 1, 1)
    return total + accrued(account.pk, account.scheme, account.organisation_id, first, until)[0]


def still_due(account: Account) -> int:
    """What an account would get if it ended now: a booked year that waits for it, and what no run has paid."""
    waits = InterestLine.objects.filter(account=account, booked=False, run__state__in=("booking", "booked"))
    waited = waits.aggregate(total=Sum("amount"))["total"] or 0
    return waited + interest_due(account, timezone.localdate() - timedelta(days=1))


def _begin(actor: Actor, proposal: Proposal) -> Ending:
    """The account locked, with the interest that it still gets: of a booked year that waited for it, and since then."""
    number = proposal.payload["account"]
    books = Actor.process("accounts", proposal.organisation_id)
    found = endable(books, number)
    waited = take_waiting(books, found)  # runs are locked before accounts, as where they are booked
    account = Account.objects.select_for_update().get(pk=found.pk)
    if account.held:
        raise Refused(Code.ACCOUNT_HELD, account=number, held=plain_yuan(account.held))
    until = timezone.localdate() - timedelta(days=1)
    due = waited + interest_due(account, until)
    if due:
        pays = rates(account.scheme, until, until)[0].fund
        fund = open_party_account(books, kind=Kind.FUND, party=pays)
        key = number_from("interest", proposal.number)
        book_all(books, [Item(key, EntryKind.INTEREST, fund, account, due, proposal.payload["document"])])
    account.refresh_from_db(fields=["balance", "held"])
    return Ending(actor, books, proposal, account, account.balance or 0)


def _divide(
    ending: Ending, payees: list[Payee], reason: str, *, source: Account
) -> tuple[list[dict[str, Any]], list[str]]:
    """The amount from `source` by its shares: to accounts here and by orders to the bank; what went to which."""
    parts = list(zip(payees, shares(ending.amount, payees), strict=True)) if ending.amount else []
    here = [(heir, part) for heir, part in parts if "account" in heir and part]
    items = [
        Item(
            client_id=number_from(reason, ending.proposal.number, heir["account"]),
            kind=EntryKind.INHERITANCE,
            debit=source,
            credit=must_receive(ending.account, heir),
            amount=part,
            reference=ending.proposal.payload["document"],
        )
        for heir, part in here
    ]
    if items:
        book_all(ending.books, items)
    outside = [(heir, part) for heir, part in parts if "account" not in heir and part]
    kind = EntryKind.INHERITANCE if reason == "inheritance" else EntryKind.CLOSING
    paid = _pay_out(ending, outside, kind, reason, source=source)
    return [{"account": heir["account"], "amount": part} for heir, part in here], paid


def _pay_out(
    ending: Ending, parts: list[tuple[Payee, int]], kind: EntryKind, reason: str, *, source: Account | None = None
) -> list[str]:
    """Orders to the bank, one a payee; their numbers. The money comes from the account itself, or from `source`."""
    if not sum(part for _, part in parts):
        return []
    bank = open_party_account(ending.books, kind=Kind.BANK, party=PAYING)
    items = [
        Item(
            client_id=number_from("payout", ending.proposal.number, place),
            kind=kind,
            debit=source or ending.account,
            credit=bank,
            amount=part,
            reference=ending.proposal.payload["document"],
        )
        for place, (_, part) in enumerate(parts)
    ]
    numbers = []
    for (payee, part), booked in zip(parts, book_all(ending.books, items), strict=True):
        made = Payout.objects.create(
            number=f"Z{ending.books.organisation}{timezone.localdate():%Y%m%d}{booked.posting:09d}",
            organisation_id=ending.books.organisation,
            account=ending.account,
            reason=reason,
            amount=part,
            payee=payee["name"],
            bank=payee["bank"],
            bank_account=payee["bank_account"],
            document=ending.proposal.payload["document"],
            posting=booked.posting,
            proposal=ending.proposal.number,
            by=ending.actor.name,
            at=timezone.now(),
        )
        numbers.append(made.number)
    return numbers


def _carry_over(ending: Ending, to: str) -> None:
    """Out of the books of this city, over its transit account; the other city takes it by message (moving.py)."""
    account = ending.account
    send_away(
        ending.books,
        account,
        to=to,
        amount=ending.amount,
        source=account,
        reference=number_from("moving", ending.proposal.number),
        document=ending.proposal.payload["document"],
        proposal=ending.proposal.number,
    )
    _close(account)
    account.kind, account.party = Kind.FORMER.value, f"{account.scheme}{account.pk}"
    account.save(update_fields=["kind", "party"])
    _note(ending, "moving", {"city": to})


def _end(ending: Ending, kind: str, to: dict[str, Any]) -> dict[str, Any]:
    _close(ending.account)
    _note(ending, kind, to)
    return {"amount": ending.amount, **to}


def _close(account: Account) -> None:
    account.refresh_from_db(fields=["balance", "held", "state"])
    if account.balance or account.held:
        raise Refused(Code.ACCOUNT_NOT_EMPTY, account=account.number)
    account.state, account.closed_at = ACCOUNT.after(account.state, "close"), timezone.now()
    account.save(update_fields=["state", "closed_at"])


def _note(ending: Ending, kind: str, to: dict[str, Any]) -> None:
    payload = ending.proposal.payload
    Succession.objects.create(
        organisation_id=ending.books.organisation,
        account=ending.account,
        kind=kind,
        amount=ending.amount,
        to=to,
        document=payload["document"],
        reason=payload["reason"],
        proposal=ending.proposal.number,
        by=ending.actor.name,
        at=timezone.now(),
    )
    record(ending.actor, "account.ended", f"account:{ending.account.number}", kind=kind, amount=ending.amount)
