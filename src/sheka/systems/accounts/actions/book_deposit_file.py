"""The lines of a released file go before the ledger in chunks, each in a transaction of its own (S6).

A chunk locks its accounts for a few hundredths of a second, so purchases go on. Killed at any moment, the next try goes
on behind the last chunk; what a torn one had sent is answered by the ledger as before, by the numbers of its lines.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.receive_deposit_file import locked_file
from sheka.systems.accounts.booking import DERIVED_SQL, number_from
from sheka.systems.accounts.models import Account, DepositFile, DepositLine, EntryKind
from sheka.systems.accounts.policy import ACCOUNTS, in_force
from sheka.systems.accounts.posting import Item, post
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
    lines = list(row.rows.filter(line__gt=row.cursor, refusal=0).order_by("line")[:size])
    if not lines:
        return _finished(actor, row, done)
    first = lines[0].line
    refused = _booked(actor, row, lines)
    row.cursor = lines[-1].line
    row.booked += len(lines) - len(refused)
    row.booked_total += sum(one.amount for one in lines) - sum(one.amount for one in refused)
    row.refused += len(refused)
    row.refused_total += sum(one.amount for one in refused)
    row.save(update_fields=["cursor", "booked", "booked_total", "refused", "refused_total"])
    facts = {"lines": [first, row.cursor], "count": len(lines), "refused": [one.line for one in refused][:20]}
    record(actor, "deposit_file.lines_booked", row.subject, **facts)
    return row


def line_number(row: DepositFile, line: int) -> str:
    """What the number of a line's booking is derived from."""
    return f"{row.organisation_id}:{row.digest}:{line}"


def _booked(actor: Actor, row: DepositFile, lines: list[DepositLine]) -> list[DepositLine]:
    """Book them, each on its own; those that the ledger refused, with its number."""
    accounts = {one.account_id: Account(pk=one.account_id) for one in lines}
    items = [
        Item(
            client_id=number_from(line_number(row, one.line)),
            kind=EntryKind.DEPOSIT,
            debit=row.fund,
            credit=accounts[one.account_id],
            amount=one.amount,
            reference=one.reference or row.period,
        )
        for one in lines
    ]
    refused = []
    for line, answer in zip(lines, post(actor, items), strict=True):
        if answer.refusal:
            line.refusal = answer.refusal
            refused.append(line)
    for line in refused:
        DepositLine.objects.filter(file=row, line=line.line).update(refusal=line.refusal)
    return refused


def _finished(actor: Actor, row: DepositFile, state: str) -> DepositFile:
    """The ledger has as many transfers with these numbers as lines, and their sum."""
    derived = DERIVED_SQL.format("%(prefix)s || l.line")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(t.amount), 0)::bigint FROM accounts_depositline l"  # noqa: S608 - our own text
            f" JOIN accounts_transfer t ON t.client_id = {derived} AND t.refusal = 0 AND t.amount = l.amount"
            " WHERE l.file_id = %(file)s AND l.refusal = 0",
            {"prefix": line_number(row, 0)[:-1], "file": row.pk},
        )
        count, total = cursor.fetchone()
    if (count, total) != (row.booked, row.booked_total) or total + row.refused_total != row.total:
        raise Refused(Code.DEPOSIT_TOTAL, got=total, expected=row.total - row.refused_total)
    row.state, row.booked_at = state, timezone.now()
    row.save(update_fields=["state", "booked_at"])
    record(actor, "deposit_file.booked", row.subject, lines=row.booked, total=row.booked_total, refused=row.refused)
    return row
