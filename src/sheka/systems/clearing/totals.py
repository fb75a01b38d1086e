"""What a window holds for each institution (S8): card transactions, and transfers on the institutions' accounts.

A transfer that moves an institution's money (an adjustment of an exception case, a correction, a fee) belongs to the
day that was open when it was booked: the ledger stamped it under the same shared lock as a purchase (docs/adr/0035).
Amounts are fen; above zero is owed to the institution.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from sheka.office.scope import whole_node
from sheka.systems.transactions.models import Window
from sheka.systems.transactions.queries import MOVED, WindowTotal, window_totals

#: Each side of each transfer that stands in a window, by the institution whose account it moves.
_TRANSFERS = """
FROM accounts_transfer x
CROSS JOIN LATERAL (VALUES (x.debit_id, -x.amount), (x.credit_id, x.amount)) AS side (account, amount)
JOIN transactions_institution i ON i.account_id = side.account
WHERE x.window_id = %(window)s AND x.refusal = 0 AND i.organisation_id = %(place)s AND i.test_of_id IS NULL
"""
_ADJUSTED = f"SELECT i.id, i.code, count(*), sum(side.amount) {_TRANSFERS} GROUP BY i.id, i.code"
_LINES = f"SELECT i.code, x.posting_id, x.at, x.kind, side.amount, x.reference {_TRANSFERS} ORDER BY x.posting_id"
_ENTRIES = f"""
SELECT id, sum(amount) FROM (
    SELECT i.id, e.amount FROM transactions_transaction t
    JOIN transactions_institution i ON i.id = t.institution_id
    JOIN accounts_entry e ON e.account_id = i.account_id AND e.posting_id = t.id
    WHERE {MOVED} AND i.organisation_id = %(place)s
    UNION ALL
    SELECT i.id, e.amount FROM accounts_transfer x
    JOIN accounts_entry e ON e.posting_id = x.posting_id
    JOIN transactions_institution i ON i.account_id = e.account_id
    WHERE x.window_id = %(window)s AND i.organisation_id = %(place)s AND i.test_of_id IS NULL
) AS entries GROUP BY id
"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class Total:
    """One institution in one window: card transactions (`count`, what was taken, what went back) and transfers
    (`adjusted`, their sum).
    """

    institution_id: int
    code: str
    count: int = 0
    purchases: int = 0
    reversals: int = 0
    adjusted: int = 0
    adjustments: int = 0

    @property
    def amount(self) -> int:
        """What is owed to it for the window."""
        return self.purchases - self.reversals + self.adjustments


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A transfer that stands in a day: the institution, the posting, the amount seen from its account."""

    institution: str
    posting: int
    at: object
    kind: int
    amount: int
    reference: str


def totals_of(window: Window, organisation_code: str) -> list[Total]:
    """Per institution of an organisation, by code. One that only had transfers is there as well."""
    booked: dict[int, WindowTotal] = {one.institution_id: one for one in window_totals(window, organisation_code)}
    moved = _adjusted(window, organisation_code)
    codes = {number: one.code for number, one in booked.items()} | {number: one[0] for number, one in moved.items()}
    found = []
    for number, code in sorted(codes.items(), key=lambda pair: pair[1]):
        one = booked.get(number)
        _code, count, amount = moved.get(number, (code, 0, 0))
        if one is None:
            found.append(Total(number, code, adjusted=count, adjustments=amount))
        else:
            found.append(Total(number, code, one.count, one.purchases, one.reversals, count, amount))
    return found


@whole_node("a transfer stands in the books of whoever made it, the account in those of its city")
def adjustments_of(window: Window, organisation_code: str) -> list[Adjustment]:
    """The transfers of a window on the accounts of an organisation's institutions, in the order of booking."""
    return [Adjustment(*row) for row in _rows(_LINES, window, organisation_code)]


@whole_node("a transfer stands in the books of whoever made it, the account in those of its city")
def entries_of(window: Window, organisation_code: str) -> dict[int, int]:
    """Institution → the sum of the entries on its account whose posting stands in the window: what the ledger says,
    beside what the documents say (`totals_of`).
    """
    return {number: int(amount) for number, amount in _rows(_ENTRIES, window, organisation_code)}


@whole_node("a transfer stands in the books of whoever made it, the account in those of its city")
def _adjusted(window: Window, organisation_code: str) -> dict[int, tuple[str, int, int]]:
    rows = _rows(_ADJUSTED, window, organisation_code)
    return {number: (code, count, int(amount)) for number, code, count, amount in rows}


def _rows(query: str, window: Window, organisation_code: str) -> list[tuple]:  # type: ignore[type-arg]
    parameters = {"window": window.pk, "date": window.settlement_date, "place": organisation_code}
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()
