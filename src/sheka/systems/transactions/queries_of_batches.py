"""What the exceptions desk asks about terminals' batches (S4, S10): those out of balance that nothing followed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

#: Out of balance, and neither a settlement in balance nor one after an upload came since.
_UNBALANCED = """
SELECT b.id, b.at, i.code, i.organisation_id, m.number, b.business_date, b.stan, w.settlement_date, b.theirs, b.ours
FROM transactions_batch b
JOIN transactions_institution i ON i.id = b.institution_id AND i.test_of_id IS NULL
JOIN transactions_terminal m ON m.id = b.terminal_id JOIN transactions_window w ON w.id = b.window_id
WHERE b.id > %(after)s AND b.refusal = 4485 AND NOT b.after_upload
    AND b.at < now() - make_interval(secs => %(patience)s)
    AND NOT EXISTS (SELECT FROM transactions_batch n WHERE n.terminal_id = b.terminal_id AND n.window_id = b.window_id
        AND n.id > b.id AND (n.after_upload OR n.refusal = 0))
    AND NOT EXISTS (SELECT FROM transactions_batch n WHERE n.terminal_id = b.terminal_id AND n.window_id = b.window_id
        AND n.id > b.id AND n.at < now() - make_interval(secs => %(patience)s)) -- of several the last one counts
ORDER BY b.id LIMIT %(limit)s
"""
_LATER = """
SELECT n.id, n.at, n.after_upload, n.refusal FROM transactions_batch b
JOIN transactions_batch n ON n.terminal_id = b.terminal_id AND n.window_id = b.window_id AND n.id > b.id
WHERE b.id = %(batch)s AND (n.after_upload OR n.refusal = 0) ORDER BY n.id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Unbalanced:
    """A settlement (0500) out of balance. `theirs` and `ours`: numbers and sums in the order of fields 74 to 77 and 86
    to 89.
    """

    number: int
    at: datetime
    institution: str
    organisation: str
    terminal: str
    business_date: date
    stan: int
    settlement_date: date
    theirs: list[int]
    ours: list[int]


@dataclass(frozen=True, slots=True)
class LaterBatch:
    """What followed a settlement out of balance: in balance, or compared line by line after an upload."""

    number: int
    at: datetime
    after_upload: bool
    refusal: int


def unbalanced_batches(*, after: int, patience: int, limit: int = 1000) -> list[Unbalanced]:
    """Settlements out of balance with a number above `after` that nothing followed for `patience` seconds."""
    with connection.cursor() as cursor:
        cursor.execute(_UNBALANCED, {"after": after, "patience": patience, "limit": limit})
        return [Unbalanced(*row) for row in cursor.fetchall()]


def batch_after(number: int) -> LaterBatch | None:
    """What followed a settlement (by the number of its row), None while nothing did."""
    with connection.cursor() as cursor:
        cursor.execute(_LATER, {"batch": number})
        row = cursor.fetchone()
    return None if row is None else LaterBatch(*row)
