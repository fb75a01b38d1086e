"""That detached days still hold: what is left of them in the database against what their archives say (S4, S8)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date
from sys import maxsize

from django.db import connection

from sheka.foundation.crypto.merkle import root_of
from sheka.office.scope import whole_node
from sheka.systems.accounts.queries import Fault
from sheka.systems.transactions import archive_files
from sheka.systems.transactions.archive_models import Archive, ArchivedStretch
from sheka.systems.transactions.sealing import STREAM_SHIFT, leaf_of

#: Entries that the switch books (docs/systems/accounts.md): their document is a card transaction.
OF_THE_SWITCH = (1, 2, 5, 6, 7)


class Stretches:
    """Runs of seals, first and last of each, in their order."""

    def __init__(self, runs: list[tuple[int, int]]) -> None:
        self._runs = sorted(runs)

    def has(self, seal: int) -> bool:
        place = bisect_right(self._runs, (seal, maxsize)) - 1
        return place >= 0 and seal <= self._runs[place][1]


def archived_seals() -> Stretches:
    """The seals whose rows are in the archive alone."""
    rows = ArchivedStretch.objects.filter(archive__state="detached").values_list("stream", "first", "last")
    return Stretches(
        [((stream << STREAM_SHIFT) + first, (stream << STREAM_SHIFT) + last) for stream, first, last in rows]
    )


@whole_node("an archived day holds rows of every organisation")
def archived_faults() -> list[Fault]:
    """Where detached days and what is left of them in the database do not agree: their seals under one root, and the
    entries of their transactions by kind, number and sum. Empty: they hold. `check_archive` proves row by row.
    """
    faults = []
    entries = _entries_of_detached_days()
    for archive in Archive.objects.filter(state="detached"):
        subject = f"archive:{archive}"
        leaves = list(_leaves(archive))
        if len(leaves) != archive.seals or root_of(leaf_of(leaf) for leaf in leaves) != bytes(archive.seal_root):
            faults.append(Fault(subject, "a seal of an archived day was changed"))
        if (found := entries.get(archive.business_date, {})) != archive.moved:
            faults.append(Fault(subject, f"archived {archive.moved}, entries {found}"))
    return faults


@whole_node("an archived day holds rows of every organisation")
def entries_digest(day: date, first: int, last: int) -> str:
    """What the entries say that the card transactions of a day moved, as `archive_files.effects_of` of its file."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT concat_ws(':', posting_id, account_id, amount) FROM accounts_entry WHERE document_date = %s"
            " AND kind = ANY (%s) AND balance_after IS NOT NULL AND posting_id BETWEEN %s AND %s ORDER BY posting_id",
            [day, list(OF_THE_SWITCH), first, last],
        )
        return archive_files.content(iter(lambda: cursor.fetchmany(archive_files.ROWS_AT_ONCE), []))[0]


def _entries_of_detached_days() -> dict[date, dict[str, list[int]]]:
    found: dict[date, dict[str, list[int]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.document_date, e.kind, count(*), sum(e.amount) FROM accounts_entry e"
            " WHERE e.balance_after IS NOT NULL AND e.kind = ANY (%s)"
            " AND e.document_date IN (SELECT business_date FROM transactions_archive WHERE state = 'detached')"
            " GROUP BY 1, 2",
            [list(OF_THE_SWITCH)],
        )
        for day, kind, count, total in cursor.fetchall():
            found.setdefault(day, {})[str(kind)] = [count, int(total)]
    return found


def _leaves(archive: Archive) -> Iterator[tuple[int, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id, s.root FROM transactions_archivedstretch t JOIN transactions_seal s"
            " ON s.id BETWEEN (t.stream << %s) + t.first AND (t.stream << %s) + t.last"
            " WHERE t.archive_id = %s ORDER BY s.id",
            [STREAM_SHIFT, STREAM_SHIFT, archive.pk],
        )
        while rows := cursor.fetchmany(5000):
            yield from ((row[0], bytes(row[1])) for row in rows)
