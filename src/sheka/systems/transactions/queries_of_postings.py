"""Where a posting of the ledger came from at the terminals (S6): for the statement of an account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sheka.systems.accounts.queries import accounts_of_postings
from sheka.systems.transactions.archive_models import Archive
from sheka.systems.transactions.models import Institution, Transaction


def institutions_of_postings(postings: Iterable[tuple[int, date]]) -> dict[int, str]:
    """Posting and document day → the name of the institution of its card transaction, as far as the scope shows it. Of
    a day that has left the database it is told by the entry on the institution's account, which stays.
    """
    wanted = dict(postings)
    rows = Transaction.objects.filter(pk__in=list(wanted), business_date__in=set(wanted.values()))
    found = {row.pk: row.institution.name for row in rows.select_related("institution")}
    archived = Archive.objects.filter(business_date__in=set(wanted.values()), state="detached")
    days = set(archived.values_list("business_date", flat=True))
    if left := [number for number, day in wanted.items() if day in days]:
        names = dict(Institution.objects.values_list("account_id", "name"))
        found |= {number: names[account] for number, account in accounts_of_postings(left, list(names))}
    return found
