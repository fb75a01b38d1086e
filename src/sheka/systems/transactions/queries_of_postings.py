"""Where a posting of the ledger came from at the terminals (S6): for the statement of an account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sheka.systems.transactions.models import Transaction


def institutions_of_postings(postings: Iterable[tuple[int, date]]) -> dict[int, str]:
    """Posting and document day → the name of the institution of its card transaction, as far as the scope shows it."""
    wanted = dict(postings)
    rows = Transaction.objects.filter(pk__in=list(wanted), business_date__in=set(wanted.values()))
    return {row.pk: row.institution.name for row in rows.select_related("institution")}
