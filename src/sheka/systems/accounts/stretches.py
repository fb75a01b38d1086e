"""The stretches of posting numbers in which the entries lie: how many are ready for what is booked next (S6,
docs/adr/0039).
"""

from __future__ import annotations

from django.db import connection

AHEAD = 8
"""Stretches made ahead, of 4,194,304 postings each: more than a day of three hundred purchases a second."""
FEW = 4


def stretches_ahead() -> int:
    """How many wait behind the stretch that is written now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_stretches_ahead()")
        return int(cursor.fetchone()[0])
