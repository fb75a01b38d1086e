"""What the exceptions desk asks of the switch (S10): abnormal rows in an order that skips none, and what became of a
request by its business key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum
from django.utils import timezone

from sheka.systems.accounts.models import Account
from sheka.systems.accounts.queries import account_of
from sheka.systems.transactions.models import Institution, Transaction
from sheka.systems.transactions.queries import numbered
from sheka.systems.transactions.verb_models import GRANTED, Link

_LAG = 100_000
"""How far below the greatest number seen a row may still be written: the search by number begins there."""

_FRESH = """
SELECT a.id, a.at, a.written::text::bigint, a.kind, i.code, i.organisation_id, coalesce(m.number, ''), a.business_date,
    a.stan, a.written < pg_snapshot_xmin(pg_current_snapshot()), a.facts::text
FROM transactions_abnormal a
JOIN transactions_institution i ON i.id = a.institution_id AND i.test_of_id IS NULL -- what tests provoke is no case
LEFT JOIN transactions_terminal m ON m.id = a.terminal_id
WHERE a.id > %(highest)s - %(lag)s AND (a.written::text::bigint, a.id) > (%(written)s, %(number)s)
ORDER BY a.written::text::bigint, a.id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class AbnormalRow:
    """Something that the switch told of. `written` is the transaction that wrote it: rows are read in the order of
    (`written`, `number`), because numbers are not given in the order of commits. `final`: written before the oldest
    transaction that runs, so nothing can come before it any more. `organisation` keeps the institution's books.
    """

    number: int
    at: datetime
    written: int
    kind: str
    institution: str
    organisation: str
    terminal: str
    business_date: date | None
    stan: int | None
    final: bool
    facts: dict[str, Any]


def fresh_abnormal(*, written: int, number: int, highest: int, limit: int = 1000) -> list[AbnormalRow]:
    """The rows after (`written`, `number`) in that order; a reader remembers the last `final` one, and takes those
    after it again, so that a long transaction delays nothing and hides nothing.
    """
    parameters = {"written": written, "number": number, "highest": highest, "lag": _LAG, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_FRESH, parameters)
        return [AbnormalRow(*row[:-1], json.loads(row[-1])) for row in cursor.fetchall()]


def rows_of_key(institution: str, terminal: str, business_date: date, stan: int) -> list[Transaction]:
    """What is stored under a business key, a reversal beside what it reverses, in the order of booking."""
    rows = Transaction.objects.filter(
        business_date=business_date, terminal__number=terminal, stan=stan, institution__code=institution
    )
    return list(rows.select_related("institution", "terminal", "window").order_by("id"))


def account_of_card(card_number: str, scheme: str = "310") -> Account | None:
    """The personal account that a card pays from, whatever the state of the card; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT person_id FROM cards_holder(%s)", [card_number])
        row = cursor.fetchone()
    return account_of(row[0], scheme) if row is not None else None


def institution_in_books(organisation_code: str, code: str) -> Institution | None:
    """An institution that an organisation keeps the books of, with its account."""
    return Institution.objects.filter(organisation_id=organisation_code, code=code).select_related("account").first()


def transaction_of_partner(institution_code: str, number: int) -> Transaction | None:
    """One transaction of an institution, as it may know of it itself."""
    return numbered(_with_parts().filter(institution__code=institution_code), number).first()


def transaction_of_place(organisation_code: str, number: int) -> Transaction | None:
    """One transaction of the institutions that an organisation keeps the books of."""
    return numbered(_with_parts().filter(institution__organisation_id=organisation_code), number).first()


def _with_parts() -> QuerySet[Transaction]:
    return Transaction.objects.select_related("institution", "terminal", "window")


def went_back(number: int) -> int:
    """What was given back of a purchase or completion by refunds, voids and reversals, in fen."""
    return Link.objects.filter(original=number).exclude(kind=GRANTED).aggregate(total=Sum("amount"))["total"] or 0


def give_back(original: int, paid: int, institution_code: str, posting: int, amount: int) -> bool:
    """Count a booking of `amount` fen for what it gives back of a purchase of `paid` fen, so that no till gives it back
    once more; in the transaction of the booking. False: there is not so much left.
    """
    institution = Institution.objects.get(code=institution_code, test_of=None).pk
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT transactions_give_back(%s, %s, %s, %s, %s, %s)",
            [original, institution, timezone.localdate(), posting, amount, paid],
        )
        return bool(cursor.fetchone()[0])


def transaction_booked(number: int, day: date) -> Transaction | None:
    """The row of this number that was booked on or about a day; the partitions of a week are asked."""
    about = timedelta(days=4)
    return _with_parts().filter(id=number, business_date__range=(day - about, day + about)).first()
