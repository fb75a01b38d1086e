"""A file of deposits comes in, is checked as a whole, and is released or withdrawn (S6). Nothing is booked here."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, BinaryIO

from django.db import connection, transaction
from django.utils import timezone

from sheka.foundation.money import plain_yuan
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.jobs.actions.start_job import start_job
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import person_of
from sheka.systems.accounts.deposit_file import DepositReader, Item, digest_of
from sheka.systems.accounts.models import Account, DepositFile, DepositLine, Kind
from sheka.systems.accounts.policy import ACCOUNTS, in_force
from sheka.systems.accounts.states import DEPOSIT_FILE

CHECK_JOB, BOOK_JOB = "accounts.check_deposit_file", "accounts.book_deposit_file"
MOST_BYTES = 2**30
"""Of a file, unpacked."""
MOST_SENT = 32 * 2**20
"""Of a file that comes through a browser, as it comes."""
KEPT_REFUSED = 10_000
"""Refused lines that are kept of a file that is refused as a whole."""
BLOCK = 5_000
Tell = Callable[[int], None]


@action(Permission.ACCOUNT_FILE)
def receive_deposit_file(actor: Actor, *, name: str, content: bytes) -> DepositFile:
    """Keep a file and have it checked in the background. The same file again is answered as before.

    Raises Refused: DEPOSIT_FILE_SIZE, DEPOSIT_FILE_HEADER, DEPOSIT_FILE_NUMBER, ORGANISATION_OUT_OF_REACH.
    """
    if len(content) > MOST_SENT:
        raise Refused(Code.DEPOSIT_FILE_SIZE, reason=f"> {MOST_SENT:,} bytes")
    row, fresh = _received(actor, name, io.BytesIO(content))
    if fresh:
        row.content = content
        row.save(update_fields=["content"])
        row.job = start_job(Actor.process("accounts", row.organisation_id), CHECK_JOB, number=row.number).pk
        row.save(update_fields=["job"])
    return row


@action(Permission.ACCOUNT_FILE)
def take_deposit_file(actor: Actor, *, name: str, source: BinaryIO) -> tuple[DepositFile, bool]:
    """The same for a file on this machine, which is read where it lies; whether it is new here."""
    return _received(actor, name, source)


@action(Permission.ACCOUNT_FILE)
def check_deposit_file(
    actor: Actor, *, number: str, source: BinaryIO | None = None, tell: Tell | None = None
) -> DepositFile:
    """Read every line, match it with its account, prove the totals. Afterwards the file is ready, or refused whole.

    `source` where the content is not kept here. One that was checked before is answered as it stands.
    """
    row = locked_file(actor, number)
    if row.state != "received":
        record(actor, "deposit_file.found", row.subject, state=row.state)
        return row
    rules = in_force(ACCOUNTS, "deposit_file", timezone.localdate())
    given = source or io.BytesIO(bytes(row.content or b""))
    refused: list[Item] = []
    try:
        with transaction.atomic():
            reader = DepositReader(given, most_lines=rules["most_lines"], most_fen=rules["most_fen_a_line"])
            try:
                _stage(row, reader, refused, tell)
            finally:
                row.lines, row.total = reader.count, reader.total
            _sum_up(row)
            if row.refused and rules["faulty_lines"] != "skip":
                first = row.rows.exclude(refusal=0).first()
                refused = list(_refused_lines(row))
                raise Refused(Code.DEPOSIT_FILE_LINES, count=row.refused, line=first.line if first else 0)
            if row.refused == row.lines:
                raise Refused(Code.DEPOSIT_EMPTY)
    except Refused as refusal:
        _refuse(row, refusal, refused)
    else:
        row.state = DEPOSIT_FILE.after(row.state, "check")
    row.content = None
    row.save()
    record(
        actor,
        "deposit_file.checked",
        row.subject,
        state=row.state,
        lines=row.lines,
        total=row.total,
        refused=row.refused,
        digest=row.digest,
        fault=row.fault.get("code"),
    )
    return row


@action(Permission.ACCOUNT_FILE)
def release_deposit_file(actor: Actor, *, number: str, background: bool = True) -> DepositFile:
    """Have a checked file booked. From a total on (policy) it takes somebody other than its sender.

    Raises Refused: DEPOSIT_FILE_UNKNOWN, STATE_FORBIDS, DEPOSIT_FILE_SECOND_PERSON.
    """
    row = locked_file(actor, number)
    state = DEPOSIT_FILE.after(row.state, "release")
    rules = in_force(ACCOUNTS, "deposit_file", timezone.localdate())
    if _same_person(actor, row) and row.total >= rules["second_person_from"]:
        raise Refused(Code.DEPOSIT_FILE_SECOND_PERSON, total=plain_yuan(row.total))
    row.state = state
    row.released_by, row.released_staff_id, row.released_at = actor.name, actor.staff_id, timezone.now()
    row.save()
    record(actor, "deposit_file.released", row.subject, lines=row.lines - row.refused, total=row.due)
    if background:
        # as the check: what was decided is done by the node, whoever has left or moved before it is over
        row.job = start_job(Actor.process("accounts", row.organisation_id), BOOK_JOB, number=row.number).pk
        row.save(update_fields=["job"])
    return row


@action(Permission.ACCOUNT_FILE)
def withdraw_deposit_file(actor: Actor, *, number: str, reason: str) -> DepositFile:
    """A checked file is not booked after all. Raises Refused: DEPOSIT_FILE_UNKNOWN, STATE_FORBIDS."""
    row = locked_file(actor, number)
    row.state = DEPOSIT_FILE.after(row.state, "withdraw")
    row.save(update_fields=["state"])
    record(actor, "deposit_file.withdrawn", row.subject, reason=reason)
    return row


def locked_file(actor: Actor, number: str) -> DepositFile:
    """The file of the actor's organisation, locked. Raises Refused: DEPOSIT_FILE_UNKNOWN, ORGANISATION_OUT_OF_REACH."""
    found = DepositFile.objects.select_for_update().filter(number=number).first()
    if found is None:
        raise Refused(Code.DEPOSIT_FILE_UNKNOWN, file=number)
    actor.must_act_for(found.organisation_id)
    return found


def _same_person(actor: Actor, row: DepositFile) -> bool:
    """Whether who releases is who sent: two accounts of one person are one person."""
    if actor.staff_id is None or row.received_staff_id is None:
        return actor.staff_id == row.received_staff_id and actor.name == row.received_by
    return person_of(actor.staff_id) == person_of(row.received_staff_id)


def _received(actor: Actor, name: str, source: BinaryIO) -> tuple[DepositFile, bool]:
    header = DepositReader(source, most_lines=1).header
    source.seek(0)
    actor.must_act_for(header.organisation)
    digest = digest_of(source, most_bytes=MOST_BYTES)
    _alone(header.organisation)
    running = DepositFile.objects.exclude(state__in=("refused", "withdrawn")).filter(organisation=header.organisation)
    same = running.filter(digest=digest).first()
    if same is not None:
        record(actor, "deposit_file.found", same.subject, state=same.state, digest=digest)
        return same, False
    other = running.filter(sender_number=header.number).first()
    if other is not None:
        raise Refused(Code.DEPOSIT_FILE_NUMBER, sender=header.number, file=other.number)
    fund = Account.objects.filter(organisation=header.organisation, kind=Kind.FUND, party=header.fund).first()
    if fund is None:
        raise Refused(Code.DEPOSIT_FILE_HEADER, reason=header.fund)
    row = DepositFile.objects.create(
        number=f"D{header.organisation}{timezone.localtime():%Y%m%d%H%M%S%f}"[:40],
        organisation_id=header.organisation,
        fund=fund,
        sender_number=header.number,
        period=header.period,
        digest=digest,
        name=name[-120:],
        received_by=actor.name,
        received_staff_id=actor.staff_id,
        received_at=timezone.now(),
    )
    record(actor, "deposit_file.received", row.subject, digest=digest, period=row.period, sender=row.sender_number)
    return row, True


def _stage(row: DepositFile, reader: DepositReader, refused: list[Item], tell: Tell | None) -> None:
    """The lines of the file beside their accounts, a block to a statement; what stands there twice is found at the end.

    COPY is refused on a table under row-level security (docs/adr/0006), and the application makes no table. Sorts spill
    to disk above WORK_MEM: a file of any length takes the same memory here and in the database.
    """
    given = {"file": row.pk, "scheme": reader.header.scheme, "organisation": row.organisation_id}
    lines = iter(reader)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")
        while block := list(islice(lines, BLOCK)):
            wrong = [item for item in block if item.refusal]
            refused += wrong[: KEPT_REFUSED - len(refused)]
            columns = zip(*((i.line, i.account, i.amount, i.reference, i.refusal) for i in block), strict=True)
            cursor.execute(MATCH, {**given, **dict(zip(COLUMNS, map(list, columns), strict=True))})
            if tell:
                tell(reader.count)
        cursor.execute(TWICE, given)
        _alone(row.organisation_id)
        cursor.execute(ELSEWHERE, {**given, "fund": row.fund_id, "period": row.period})


WORK_MEM = "64MB"
COLUMNS = ("lines", "accounts", "amounts", "references", "refusals")
MATCH = """
INSERT INTO accounts_depositline (file_id, line, account_id, amount, reference, refusal, subject)
SELECT %(file)s, r.line, a.id, r.amount, r.reference, v.refusal,
       CASE WHEN v.refusal = 0 THEN '' ELSE left(r.account, 9) || '…' || right(r.account, 4) END
FROM unnest(%(lines)s::integer[], %(accounts)s::text[], %(amounts)s::bigint[], %(references)s::text[],
            %(refusals)s::integer[]) AS r (line, account, amount, reference, refusal)
LEFT JOIN accounts_account a ON a.number = r.account AND a.kind = 'personal' AND a.scheme = %(scheme)s
    AND a.organisation_id = %(organisation)s
CROSS JOIN LATERAL (SELECT CASE
    WHEN r.refusal <> 0 THEN r.refusal
    WHEN a.id IS NULL THEN 4301
    WHEN a.state <> 'open' THEN 4302
    ELSE 0 END AS refusal) v
"""
TWICE = """
WITH twice AS MATERIALIZED (
    SELECT n.line, n.account_id FROM (
        SELECT line, account_id, row_number() OVER (PARTITION BY account_id, reference ORDER BY line) AS nth
        FROM accounts_depositline WHERE file_id = %(file)s AND refusal = 0) n
    WHERE n.nth > 1)
UPDATE accounts_depositline l SET refusal = 4335, subject = left(a.number, 9) || '…' || right(a.number, 4)
FROM twice t JOIN accounts_account a ON a.id = t.account_id
WHERE l.file_id = %(file)s AND l.line = t.line
"""
#: What another file of the same fund and period pays, or will: the same allocation under another number, reordered.
ELSEWHERE = """
WITH paid AS MATERIALIZED (
    SELECT o.account_id, coalesce(nullif(o.reference, ''), %(period)s) AS reference
    FROM accounts_depositfile f JOIN accounts_depositline o ON o.file_id = f.id AND o.refusal = 0
    WHERE f.organisation_id = %(organisation)s AND f.fund_id = %(fund)s AND f.period = %(period)s AND f.id <> %(file)s
        AND f.state IN ('ready', 'booking', 'booked'))
UPDATE accounts_depositline l SET refusal = 4335, subject = left(a.number, 9) || '…' || right(a.number, 4)
FROM paid p JOIN accounts_account a ON a.id = p.account_id
WHERE l.file_id = %(file)s AND l.refusal = 0 AND l.account_id = p.account_id
    AND coalesce(nullif(l.reference, ''), %(period)s) = p.reference
"""


def _sum_up(row: DepositFile) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(amount), 0)::bigint FROM accounts_depositline"
            " WHERE file_id = %s AND refusal <> 0",
            [row.pk],
        )
        row.refused, row.refused_total = cursor.fetchone()


def _refused_lines(row: DepositFile) -> Iterator[Item]:
    for one in row.rows.exclude(refusal=0).order_by("line")[:KEPT_REFUSED]:
        yield Item(one.line, one.subject, one.amount, one.reference, one.refusal)


def _refuse(row: DepositFile, refusal: Refused, lines: list[Item]) -> None:
    """The file stays with why, and with the lines that were wrong; the others are gone."""
    row.state = DEPOSIT_FILE.after(row.state, "refuse")
    row.fault = {"code": refusal.number, "facts": {name: _plain(value) for name, value in refusal.facts.items()}}
    if not row.refused:
        row.refused, row.refused_total = len(lines), sum(one.amount for one in lines)
    DepositLine.objects.bulk_create(
        (
            DepositLine(
                file=row,
                line=one.line,
                amount=one.amount,
                reference=one.reference,
                refusal=one.refusal,
                subject=one.account if "…" in one.account else f"{one.account[:9]}…{one.account[-4:]}",
            )
            for one in lines
        ),
        batch_size=2_000,
    )


def _plain(value: object) -> Any:
    return value if isinstance(value, int) else str(value)


def _alone(organisation: str) -> None:
    """Two files at once: the second waits and finds the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 4330))", [organisation])
