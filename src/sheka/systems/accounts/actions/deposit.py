"""Deposits on personal accounts: the monthly allocation, or one payment (S6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.models import Account, EntryKind
from sheka.systems.accounts.posting import Item, post


@dataclass(frozen=True, slots=True)
class Deposit:
    """One payment in: `client_id` is made by the sender and makes it idempotent; `amount` in fen."""

    client_id: UUID
    account: Account
    amount: int
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Booked:
    """What became of one deposit: `refusal` 0 when it is booked (now, or by an equal request before)."""

    client_id: UUID
    posting: int
    refusal: int
    differs: str | None


@action(Permission.ACCOUNT_DEPOSIT)
def deposit(actor: Actor, *, fund: Account, deposits: Sequence[Deposit], total: int) -> list[Booked]:
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
    booked = _post(actor, fund, deposits)
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


def _post(actor: Actor, fund: Account, deposits: Sequence[Deposit]) -> list[Booked]:
    items = [Item(one.client_id, EntryKind.DEPOSIT, fund, one.account, one.amount, one.reference) for one in deposits]
    return [Booked(one.client_id, one.posting, one.refusal, one.differs) for one in post(actor, items)]
