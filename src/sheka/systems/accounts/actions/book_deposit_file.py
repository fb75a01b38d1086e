"""The lines of a released file go before the ledger in chunks, each in a transaction of its own (S6).

A chunk locks its accounts for a few hundredths of a second, so purchases go on. Killed at any moment, the next try goes
on behind the last chunk; what a torn one had sent is answered by the ledger as before, by the numbers of its lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.receive_deposit_file import locked_file
from sheka.systems.accounts.booking import DERIVED_SQL
from sheka.systems.accounts.models import DepositFile, DepositLine, EntryKind
from sheka.systems.accounts.policy import ACCOUNTS, in_force
from sheka.systems.accounts.states import DEPOSIT_FILE


def book_deposit_file(actor: Actor, number: str, tell: Callable[[int, int], None] | None = None) -> DepositFile:
    """Every line that is left, chunk by chunk; then the proof. Called by the job and by the command line."""
    while True:
        row = book_deposit_lines(actor, number=number)
        if tell:
            tell(row.booked, row.lines - row.refused)
        if row.state != "booking":
            return row


@action(Permission.ACCOUNT_FILE)
def book_deposit_lines(actor: Actor, *, number: str) -> DepositFile:
    """The next lines of the file; when none is left the totals are compared with the ledger and it is finished.

    Raises Refused: DEPOSIT_FILE_UNKNOWN, STATE_FORBIDS, DEPOSIT_TOTAL.
    """
    row = locked_file(actor, number)
    if row.state == "booked":
        record(actor, "deposit_file.found", row.subject, state=row.state)
        return row
    done = DEPOSIT_FILE.after(row.state, "finish")
    size = in_force(ACCOUNTS, "deposit_file", timezone.localdate())["chunk"]
    chunk = _booked(actor, row, size)
    if chunk is None:
        return _finished(actor, row, done)
    row.cursor = chunk.last
    row.booked += chunk.count - len(chunk.refused)
    row.booked_total += chunk.total - chunk.refused_total
    row.refused += len(chunk.refused)
    row.refused_total += chunk.refused_total
    row.save(update_fields=["cursor", "booked", "booked_total", "refused", "refused_total"])
    facts = {"lines": [chunk.first, chunk.last], "count": chunk.count, "refused": sorted(chunk.refused)[:20]}
    record(actor, "deposit_file.lines_booked", row.subject, **facts)
    return row


def line_number(row: DepositFile, line: int) -> str:
    """What the number of a line's booking is derived from."""
    return f"{row.organisation_id}:{row.digest}:{line}"


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Lines that were put before the ledger together; `refused`: line → number of the refusal. Money is fen."""

    first: int
    last: int
    count: int
    total: int
    refused: dict[int, int]
    refused_total: int


def _booked(actor: Actor, row: DepositFile, size: int) -> _Chunk | None:
    """Book the next lines as one set, each on its own; None when none is left. The lines never leave the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            BOOK,
            {
                "file": row.pk,
                "cursor": row.cursor,
                "size": size,
                "period": row.period,
                "prefix": line_number(row, 0)[:-1],
                "kind": int(EntryKind.DEPOSIT),
                "fund": row.fund_id,
                "organisation": actor.organisation,
            },
        )
        first, last, count, total, refused, refused_total = cursor.fetchone()
    if not count:
        return None
    found = {int(line): number for line, number in (json.loads(refused) if refused else {}).items()}
    for line, number in found.items():
        DepositLine.objects.filter(file=row, line=line).update(refusal=number)
    return _Chunk(first, last, count, total, found, refused_total)


BOOK = f"""
WITH chunk AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY c.line) AS place, c.* FROM (
        SELECT l.line, l.account_id, l.amount, coalesce(nullif(l.reference, ''), %(period)s) AS reference
        FROM accounts_depositline l WHERE l.file_id = %(file)s AND l.line > %(cursor)s AND l.refusal = 0
        ORDER BY l.line LIMIT %(size)s) c
), given AS MATERIALIZED (
    SELECT count(*)::integer AS n, array_agg({DERIVED_SQL.format("%(prefix)s || line")} ORDER BY place) AS clients,
        array_agg(account_id ORDER BY place) AS credits, array_agg(amount ORDER BY place) AS amounts,
        array_agg(reference ORDER BY place) AS words
    FROM chunk
), posted AS MATERIALIZED (
    SELECT p.place, p.refused FROM given CROSS JOIN LATERAL accounts_post_batch(clients,
        array_fill(%(kind)s::smallint, ARRAY[n]), array_fill(%(fund)s::bigint, ARRAY[n]), credits, amounts, words,
        %(organisation)s) p
    WHERE n > 0
)
SELECT min(c.line), max(c.line), count(*), coalesce(sum(c.amount), 0)::bigint,
    jsonb_object_agg(c.line, p.refused) FILTER (WHERE p.refused <> 0)::text,
    coalesce(sum(c.amount) FILTER (WHERE p.refused <> 0), 0)::bigint
FROM chunk c JOIN posted p ON p.place = c.place
"""  # noqa: S608 - our own text


def _finished(actor: Actor, row: DepositFile, state: str) -> DepositFile:
    """The ledger has as many transfers with these numbers as lines, and their sum."""
    with connection.cursor() as cursor:
        cursor.execute(PROVE, {"prefix": line_number(row, 0)[:-1], "file": row.pk})
        count, total = cursor.fetchone()
    if (count, total) != (row.booked, row.booked_total) or total + row.refused_total != row.total:
        raise Refused(Code.DEPOSIT_TOTAL, got=total, expected=row.total - row.refused_total)
    row.state, row.booked_at = state, timezone.now()
    row.save(update_fields=["state", "booked_at"])
    record(actor, "deposit_file.booked", row.subject, lines=row.booked, total=row.booked_total, refused=row.refused)
    return row


PROVE = f"""
WITH wanted AS MATERIALIZED (
    SELECT {DERIVED_SQL.format("%(prefix)s || l.line")} AS client, l.amount
    FROM accounts_depositline l WHERE l.file_id = %(file)s AND l.refusal = 0)
SELECT count(*), coalesce(sum(t.amount), 0)::bigint FROM wanted w
JOIN accounts_transfer t ON t.client_id = w.client AND t.refusal = 0 AND t.amount = w.amount
"""  # noqa: S608 - our own text
#: The numbers are made first and joined then: below row-level security PostgreSQL joins by nothing in which a function
#: that may leak has a part, and would compare every line with every transfer.
