"""Deposits on personal accounts: one payment, or a batch of a thousand (S6). The monthly allocation goes in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.models import Account, EntryKind, Kind
from sheka.systems.accounts.posting import Item, Posted, post

MOST = 1_000
"""Deposits of a batch over the API."""
Booked = Posted


@dataclass(frozen=True, slots=True)
class Deposit:
    """One payment in: `client_id` is made by the sender and makes it idempotent; `amount` in fen."""

    client_id: UUID
    account: Account
    amount: int
    reference: str = ""


@action(Permission.ACCOUNT_DEPOSIT)
def deposit(actor: Actor, *, fund: Account, deposits: Sequence[Deposit], total: int) -> list[Posted]:
    """Book deposits from a fund account, each on its own: a refused one does not stop the others, and stays refused.

    `total` in fen is what the list must add up to; otherwise nothing is booked. Raises Refused: DEPOSIT_EMPTY,
    DEPOSIT_TOTAL, ORGANISATION_OUT_OF_REACH.
    """
    if not deposits:
        raise Refused(Code.DEPOSIT_EMPTY)
    got = sum(one.amount for one in deposits)
    if got != total:
        raise Refused(Code.DEPOSIT_TOTAL, got=got, expected=total)
    for code in {fund.organisation_id, *(one.account.organisation_id for one in deposits)}:
        actor.must_act_for(code)
    items = [Item(one.client_id, EntryKind.DEPOSIT, fund, one.account, one.amount, one.reference) for one in deposits]
    booked = post(actor, items)
    refused = [str(one.client_id) for one in booked if one.refusal]
    record(
        actor,
        "account.deposited",
        f"account:{fund.number}",
        count=len(booked),
        total=total,
        refused=len(refused),
        first_refused=refused[:10],
    )
    return booked


@action(Permission.ACCOUNT_DEPOSIT)
def deposit_by_number(
    actor: Actor, *, fund: str, deposits: Sequence[tuple[UUID, str, int, str]], total: int
) -> list[Posted]:
    """The same for a partner, who knows accounts by their numbers: (client id, account, fen, reference) each.

    A number that names no personal account of the actor's organisation is refused in its place (4301), and its client
    id is not used up. Raises Refused: DEPOSIT_TOO_MANY, ACCOUNT_UNKNOWN (the fund), and what `deposit` refuses.
    """
    if len(deposits) > MOST:
        raise Refused(Code.DEPOSIT_TOO_MANY, most=MOST, got=len(deposits))
    payer = Account.objects.filter(organisation_id=actor.organisation, kind=Kind.FUND, party=fund).first()
    if payer is None:
        raise Refused(Code.ACCOUNT_UNKNOWN, account=fund)
    got = sum(amount for _, _, amount, _ in deposits)
    if got != total:
        raise Refused(Code.DEPOSIT_TOTAL, got=got, expected=total)
    wanted = {number for _, number, _, _ in deposits}
    rows = Account.objects.filter(number__in=wanted, kind=Kind.PERSONAL, organisation_id=actor.organisation)
    known = {one.number: one for one in rows}
    found = [Deposit(key, known[number], amount, text) for key, number, amount, text in deposits if number in known]
    booked = deposit(actor, fund=payer, deposits=found, total=sum(one.amount for one in found)) if found else []
    if not found:
        record(actor, "account.deposited", f"account:{payer.number}", count=0, total=0, refused=len(deposits))
    answers = iter(booked)
    unknown = Code.ACCOUNT_UNKNOWN.value
    return [next(answers) if number in known else Posted(key, 0, unknown, None) for key, number, _, _ in deposits]
