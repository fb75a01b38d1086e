"""One transaction and what belongs to it (S4, S10): original, reversals, completions, refunds, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Q

from sheka.office.staff.actors import Actor
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.queries import transactions_in_reach
from sheka.systems.transactions.sealing import STREAM_SHIFT
from sheka.systems.transactions.verb_models import Link

MOST = 60
"""Rows of a chain that are shown; nobody refunds one purchase so often."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The seal of a transaction's batch: stream and place, how many rows, its root (32 bytes)."""

    number: int
    rows: int
    root: bytes

    @property
    def stream(self) -> int:
        return self.number >> STREAM_SHIFT

    @property
    def place(self) -> int:
        return self.number & (1 << STREAM_SHIFT) - 1


def transaction_numbered(actor: Actor, day: date, number: int) -> Transaction | None:
    """The transaction of this business date and number in the actor's reach."""
    return transactions_in_reach(actor).filter(business_date=day, id=number).select_related("account", "window").first()


def chain_of(actor: Actor, transaction: Transaction) -> list[Transaction]:
    """The transaction and everything that hangs together with it, by number."""
    found = {transaction.id: transaction}
    fresh = [transaction]
    while fresh and len(found) < MOST:
        wanted = Q(pk__in=[])
        for one in fresh:
            wanted |= Q(
                business_date=one.business_date,
                terminal_id=one.terminal_id,
                stan=one.stan,
                institution_id=one.institution_id,
            )
            if one.original:
                wanted |= Q(business_date=one.original_date or one.business_date, id=one.original)
        followed = Link.objects.filter(original__in=[one.id for one in fresh])
        for day, number in followed.values_list("business_date", "transaction_id"):
            wanted |= Q(business_date=day, id=number)
        rows = transactions_in_reach(actor).filter(wanted)[:MOST]
        fresh = [row for row in rows if row.id not in found]
        found.update((row.id, row) for row in fresh)
    return [found[number] for number in sorted(found)]


def seal_of(transaction: Transaction) -> Seal | None:
    """The seal that covers the transaction; None where the rows came from elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, rows, root FROM transactions_seal WHERE id = %s", [transaction.seal])
        row = cursor.fetchone()
    return Seal(row[0], row[1], bytes(row[2])) if row else None
