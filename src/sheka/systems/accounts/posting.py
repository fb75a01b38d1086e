"""The ledger's door (S6): every transfer that is not a card transaction is booked here and nowhere else.

It is called by actions, inside their transaction and after their checks: it judges accounts and amounts, not people.
Amounts are fen. What the rules are, docs/systems/accounts.md says under "The ledger".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.models import Account, EntryKind, Verb


@dataclass(frozen=True, slots=True)
class Item:
    """One transfer: `amount` fen go from `debit` to `credit`, under a number that its sender made once.

    `pending`: the amount is held on `debit` until it is ended, or until `expires_at`; without a `credit` it is a
    freeze. `of`: the number of what is held, which this item ends by its `verb`: Verb.POST books at most what is held
    and releases the rest, Verb.VOID releases all of it (`amount` 0). Then the accounts are known and may be left out,
    but the posting of a freeze names its `credit`. `linked`: tied to the next item; a chain is done whole or not at
    all.
    """

    client_id: UUID
    kind: EntryKind
    debit: Account | None
    credit: Account | None
    amount: int
    reference: str = ""
    linked: bool = False
    pending: bool = False
    expires_at: datetime | None = None
    of: int | None = None
    verb: Verb | None = None

    @property
    def does(self) -> Verb:
        """What it does. Raises ValueError where the fields do not fit each other."""
        if self.of is not None:
            if self.pending or self.verb not in (Verb.POST, Verb.VOID):
                raise ValueError("what is held is posted or voided")
            return self.verb
        if self.pending:
            return Verb.HOLD
        if self.verb not in (None, Verb.BOOK):
            raise ValueError("only what is held is posted or voided: `of` names it")
        return Verb.BOOK


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of one item, now or when its number was first used: `refusal` 0 when it is done.

    `posting` is its number; of a hold it is the number by which it is ended. `differs` names the first field in which
    a repeat differs from what its number stands for (refusal 4304).
    """

    client_id: UUID
    posting: int
    refusal: int
    differs: str | None

    @property
    def done(self) -> bool:
        return self.refusal == 0


def post(actor: Actor, items: Sequence[Item]) -> list[Posted]:
    """Post items in their order, each judged after those before it; one result for each.

    A refused number stays refused whatever changes: new business takes a new number. The organisation of the actor
    stands in the transfer; accounts out of scope are unknown. To be called inside a transaction.
    """
    if not items:
        return []
    verbs = [item.does for item in items]
    plain = all(verb is Verb.BOOK for verb in verbs)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT place, posting, refused, differs FROM accounts_post_batch("
            "%s::uuid[], %s::smallint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s, %s::boolean[],"
            " %s::smallint[], %s::bigint[], %s::timestamptz[]) ORDER BY place",
            [
                [item.client_id for item in items],
                [int(item.kind) for item in items],
                [item.debit and item.debit.pk for item in items],
                [item.credit and item.credit.pk for item in items],
                [item.amount for item in items],
                [item.reference for item in items],
                actor.organisation,
                [item.linked for item in items] if any(item.linked for item in items) else None,
                None if plain else [int(verb) for verb in verbs],
                None if plain else [item.of for item in items],
                None if plain and all(item.expires_at is None for item in items) else [i.expires_at for i in items],
            ],
        )
        return [
            Posted(items[place - 1].client_id, posting, refused, differs)
            for place, posting, refused, differs in cursor.fetchall()
        ]


def must_be_done(items: Sequence[Item], posted: Sequence[Posted]) -> None:
    """For a verb that wants all or nothing: raise the refusal of the first item that was refused for a reason of its
    own, so that the action's transaction is rolled back and no number is used up.
    """
    failed = [(item, one) for item, one in zip(items, posted, strict=True) if not one.done]
    if not failed:
        return
    item, one = next((pair for pair in failed if pair[1].refusal != Code.TRANSFER_LINKED_FAILED.value), failed[0])
    raise refusal_of(item, one)


def refusal_of(item: Item, posted: Posted) -> Refused:
    """The refusal of an item with its facts, to be raised or shown."""
    code = Code(posted.refusal)
    credit = code is Code.ACCOUNT_LIMIT or (item.debit is not None and item.debit.state == "open")
    account = (item.credit if credit else item.debit) or item.debit or item.credit
    return Refused(
        code,
        id=item.client_id,
        field=posted.differs or "",
        amount=item.amount,
        account=account.number if account else "",
        kind=int(item.kind),
        pending=item.of or "",
    )
