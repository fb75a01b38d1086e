"""Archive a business day of transactions: write, detach with two people, restore, check (S4, docs/adr/0032)."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from sheka.foundation.crypto.merkle import root_of
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions import archive_files as files
from sheka.systems.transactions.anchors import leaf_of
from sheka.systems.transactions.archive import (
    TABLE,
    archive_of,
    columns,
    folder_of_archive,
    held_day,
    manifest_of,
    moved_by,
    seals_of_day,
    stretches_over,
    table_content,
)
from sheka.systems.transactions.archive_files import Column
from sheka.systems.transactions.archive_models import Archive, ArchivedStretch
from sheka.systems.transactions.archive_proof import entries_digest
from sheka.systems.transactions.models import AnchoredStretch, Window
from sheka.systems.transactions.queries import EFFECT
from sheka.systems.transactions.retention import last_due, what_holds
from sheka.systems.transactions.sealing import STREAM_SHIFT
from sheka.systems.transactions.states import ARCHIVE

DETACH = "transactions.detach"
TRIES = 20
"""Tries of 200 ms to lock the table of a day, purchases going on between them: some six seconds."""
IN_TIME = Term("仍在数据库保存期内", "it is not older than the policy says")
WINDOW_OPEN = Term("所在清算窗口未关闭", "a clearing window that it stands in is open")
SEAL_COLUMNS = [
    Column("id", "bigint"),
    Column("rows", "integer"),
    Column("root", "text"),
    Column("sealed_at", "bigint"),
]
NOT_ITS_ENTRIES = Term("分录与归档文件不符", "the entries are not those of its file")
WHY = "an archived day holds rows of every organisation"
Step = Callable[[str], None]


@action(Permission.ARCHIVE_WRITE)
def write_archive(actor: Actor, *, day: date, step: Step = lambda _name: None) -> Archive:
    """Write a closed, cleared day to Parquet with a signed manifest, read it back and compare; its rows stay.

    Doing it again replaces what was written. `step` is told how far it is. Raises Refused: ARCHIVE_DETACHED,
    ARCHIVE_HELD, ARCHIVE_EMPTY_DAY, ARCHIVE_DISK_FULL, ARCHIVE_DIFFERS, and what the encryption machine refuses.
    """
    with connection.cursor() as cursor:  # the turn at night and an officer: one after the other
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 4780))", [day.isoformat()])
    known = Archive.objects.select_for_update().filter(business_date=day).first()
    if known is not None and known.state == "detached":
        raise Refused(Code.ARCHIVE_DETACHED, day=day.isoformat())
    folder = folder_of_archive()
    with whole_node(WHY):
        _must_be_over(day)
        with files.drafts(folder, day) as drafts:
            manifest, values = _write_files(actor.organisation, day, drafts, folder, step)
            name = files.names_of(day)[2]
            values["digest"] = files.digest_of(drafts / name).digest
            values["bytes"] = sum(row["bytes"] for row in manifest["files"])
            step("keep")
            files.keep(drafts, folder, files.names_of(day))
        step("record")
        archive = _row(actor, known, day, {**values, "manifest": name})
    record(
        actor,
        "archive.written",
        f"archive:{day.isoformat()}",
        rows=archive.rows,
        amount=archive.amount,
        content=archive.content,
        digest=archive.digest,
        bytes=archive.bytes,
    )
    return archive


@action(Permission.ARCHIVE_WRITE)
def propose_detaching(actor: Actor, *, day: date) -> Proposal:
    """Ask that the rows of an archived day leave the database; somebody else decides, and the files are proved first.

    Raises Refused: ARCHIVE_UNKNOWN, ARCHIVE_DETACHED, ARCHIVE_STALE, and what `proved` raises.
    """
    archive = archive_of(day)
    _may_be_detached(archive)
    return propose(
        actor,
        kind=DETACH,
        subject=f"archive:{day.isoformat()}",
        payload={
            "day": day.isoformat(),
            "rows": archive.rows,
            "amount": archive.amount,
            "bytes": archive.bytes,
            "content": archive.content,
            "digest": archive.digest,
        },
    )


def check_payload(_actor: Actor, payload: dict[str, Any]) -> None:
    """A request names an archive as it is. Raises Refused: ARCHIVE_UNKNOWN, ARCHIVE_STALE."""
    if archive_of(date.fromisoformat(payload["day"])).digest != payload["digest"]:
        raise Refused(Code.ARCHIVE_STALE, day=payload["day"])


def detach_day(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """Carried out with the last approval: file and table are compared once more, then the table is taken off.

    From the lock of the table to the end of the transaction purchases wait: it is the last thing done. Raises Refused:
    ARCHIVE_STALE, ARCHIVE_TABLE_BUSY, and what `proved` raises.
    """
    return _detach(actor, proposal.payload)


@action(Permission.ARCHIVE_DECIDE)
def _detach(actor: Actor, payload: dict[str, Any]) -> dict[str, Any]:
    day = date.fromisoformat(payload["day"])
    archive = Archive.objects.select_for_update().filter(business_date=day).first() or archive_of(day)
    if archive.digest != payload["digest"]:
        raise Refused(Code.ARCHIVE_STALE, day=payload["day"])
    _may_be_detached(archive)
    record(
        actor, "archive.detached", f"archive:{archive}", rows=archive.rows, amount=archive.amount, digest=archive.digest
    )
    done = _in_database("SELECT transactions_detach_day(%s, %s)", [day, TRIES], day)
    if not done:
        raise Refused(Code.ARCHIVE_TABLE_BUSY, day=day.isoformat())
    archive.state = ARCHIVE.after(archive.state, "detach")
    archive.detached_at = timezone.now()
    archive.save(update_fields=["state", "detached_at"])
    return {"day": payload["day"], "rows": archive.rows}


@action(Permission.ARCHIVE_WRITE)
def restore_archive(actor: Actor, *, day: date) -> Archive:
    """Put the rows of a detached day back from its file, prove them equal to what was archived, and attach them.

    Raises Refused: ARCHIVE_UNKNOWN, ARCHIVE_NOT_DETACHED, ARCHIVE_DIFFERS, ARCHIVE_TABLE_BUSY, and what `proved`
    raises.
    """
    archive = Archive.objects.select_for_update().filter(business_date=day).first() or archive_of(day)
    if archive.state != "detached":
        raise Refused(Code.ARCHIVE_NOT_DETACHED, day=day.isoformat())
    manifest = manifest_of(archive)
    kept = [Column(*row) for row in manifest["columns"]]
    path = folder_of_archive() / manifest["files"][0]["name"]
    with whole_node(WHY):
        table = str(_in_database("SELECT transactions_restore_begin(%s)", [day], day))
        listed = ", ".join(f'"{column.name}"' for column in kept)
        with connection.cursor() as cursor:
            copy = f"COPY {table} ({listed}) FROM STDIN (FORMAT csv, NULL '\\N')"
            with cursor.copy(copy) as target:
                for part in files.rows_as_csv(path, kept):
                    target.write(part)
        if table_content(day, kept, table) != (archive.content, archive.rows):
            raise Refused(Code.ARCHIVE_DIFFERS, day=day.isoformat(), what="content")
        _in_database("SELECT transactions_restore_end(%s)", [day], day)
        if moved_by(day) != archive.moved:
            raise Refused(Code.ARCHIVE_DIFFERS, day=day.isoformat(), what="entries")
    archive.state = ARCHIVE.after(archive.state, "restore")
    archive.restored_at = timezone.now()
    archive.save(update_fields=["state", "restored_at"])
    record(actor, "archive.restored", f"archive:{archive}", rows=archive.rows, content=archive.content)
    return archive


@action(Permission.TRANSACTION_VERIFY)
def check_archive(actor: Actor, *, day: date) -> Archive:
    """Prove an archived day from its files: signature, digests, every row read again; and beside it the table while it
    is there, afterwards the entries on personal accounts, each with the row that it came from.

    Raises Refused: ARCHIVE_UNKNOWN, ARCHIVE_FILE_MISSING, ARCHIVE_FILE_ALTERED, ARCHIVE_SIGNATURE, ARCHIVE_STALE,
    LEDGER_BROKEN (the entries).
    """
    archive = archive_of(day)
    manifest = manifest_of(archive)
    kept = [Column(*row) for row in manifest["columns"]]
    path = folder_of_archive() / manifest["files"][0]["name"]
    if files.content_of(path, kept) != (archive.content, archive.rows):
        raise Refused(Code.ARCHIVE_FILE_ALTERED, file=path)
    if archive.state == "attached":
        _must_be_current(archive, kept)
    else:
        effects, first, last = files.effects_of(path, EFFECT)
        if entries_digest(day, first, last) != effects:
            raise Refused(Code.LEDGER_BROKEN, count=1, subject=f"archive:{archive}", fault=NOT_ITS_ENTRIES)
    record(actor, "archive.checked", f"archive:{archive}", rows=archive.rows, content=archive.content)
    return archive


def _must_be_over(day: date) -> None:
    if day > last_due(timezone.localdate()):
        raise Refused(Code.ARCHIVE_HELD, day=day.isoformat(), reason=IN_TIME)
    held = held_day(day)
    if not held.windows:
        raise Refused(Code.ARCHIVE_EMPTY_DAY, day=day.isoformat())
    windows = {window for window, _place in held.windows}
    if Window.objects.filter(pk__in=windows, closed_at__isnull=True).exists():
        raise Refused(Code.ARCHIVE_HELD, day=day.isoformat(), reason=WINDOW_OPEN)
    for reason in what_holds(held):
        raise Refused(Code.ARCHIVE_HELD, day=day.isoformat(), reason=reason)


def _write_files(
    owner: str, day: date, drafts: Path, folder: Path, step: Step
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The three files among the drafts; the manifest, and what the row of the archive keeps of it."""
    kept, (rows_name, seals_name, manifest_name) = columns(), files.names_of(day)
    with files.disk_may_be_full(folder):
        step("copy")
        _copy_out(day, kept, drafts / "rows.csv")
        step("parquet")
        files.to_parquet(drafts / "rows.csv", drafts / rows_name, kept)
        (drafts / "rows.csv").unlink()
        seals = seals_of_day(day)
        with (drafts / "seals.csv").open("w", newline="") as target:
            csv.writer(target).writerows((seal, rows, root.hex(), at) for seal, rows, root, at in seals)
        files.to_parquet(drafts / "seals.csv", drafts / seals_name, SEAL_COLUMNS)
        (drafts / "seals.csv").unlink()
        step("read back")
        content, count = files.content_of(drafts / rows_name, kept)
        ours = table_content(day, kept)
        if ours != (content, count):
            raise Refused(Code.ARCHIVE_DIFFERS, day=day.isoformat(), what=f"{count} / {ours[1]}")
        sums, moved = _sums(day), moved_by(day)
        leaves = [leaf_of((seal, root)) for seal, _rows, root, _at in seals]
        values: dict[str, Any] = {
            "rows": count,
            "amount": sum(row[3] for row in sums),
            "moved": moved,
            "content": content,
            "seals": len(seals),
            "seal_root": root_of(leaves),
            "stretches": stretches_over([seal for seal, *_rest in seals]),
        }
        if sum(row[2] for row in sums) != count:
            raise Refused(Code.ARCHIVE_DIFFERS, day=day.isoformat(), what="counts")
        written = [files.digest_of(drafts / name) for name in (rows_name, seals_name)]
        step("sign")
        manifest = _signed(
            owner,
            {
                "form": 1,
                "node": settings.NODE.name,
                "day": day.isoformat(),
                "made_at": timezone.now().isoformat(),
                "columns": [[column.name, column.kind] for column in kept],
                "rows": count,
                "amount": values["amount"],
                "sums": [[kind, refused, number, amount] for kind, refused, number, amount in sums],
                "moved": moved,
                "content": content,
                "seals": len(seals),
                "seal_root": values["seal_root"].hex(),
                "anchors": _anchors([seal for seal, *_rest in seals]),
                "files": [one.plain() for one in written],
            },
        )
        values["public"] = bytes.fromhex(manifest["public"])
        files.write_text(drafts / manifest_name, json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    return manifest, values


def _copy_out(day: date, kept: list[Column], target: Path) -> None:
    listed = ", ".join(column.plain for column in kept)
    with connection.cursor() as cursor, target.open("wb") as file:
        query = f"COPY (SELECT {listed} FROM {TABLE} WHERE business_date = '{day}' ORDER BY id)"  # noqa: S608
        with cursor.copy(f"{query} TO STDOUT (FORMAT csv, NULL '\\N')") as source:
            for part in source:
                file.write(part)


def _sums(day: date) -> list[tuple[int, bool, int, int]]:
    """Kind, whether refused, number of rows, fen."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT kind, refusal <> 0, count(*), sum(amount) FROM {TABLE}"  # noqa: S608 - constant
            " WHERE business_date = %s GROUP BY 1, 2 ORDER BY 1, 2",
            [day],
        )
        return [(kind, refused, count, int(total)) for kind, refused, count, total in cursor.fetchall()]


def _anchors(seals: list[int]) -> list[list[Any]]:
    """Root and audit row of every anchor over seals of the day: the way from a row to the signed heads."""
    streams = {seal >> STREAM_SHIFT for seal in seals}
    places = sorted(seals)
    found = {}
    for one in AnchoredStretch.objects.filter(stream__in=streams).select_related("anchor"):
        first, last = (one.stream << STREAM_SHIFT) + one.first, (one.stream << STREAM_SHIFT) + one.last
        if any(first <= seal <= last for seal in places):
            found[one.anchor.sequence] = bytes(one.anchor.root).hex()
    return [[root, sequence] for sequence, root in sorted(found.items())]


def _signed(owner: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """With the signature of the machine of the organisation that archives."""
    machine = machine_of(owner)
    manifest = {**manifest, "public": machine.public_key().hex()}
    return {**manifest, "signature": machine.sign(files.message_of(manifest)).hex()}


def _row(actor: Actor, known: Archive | None, day: date, values: dict[str, Any]) -> Archive:
    stretches = values.pop("stretches")
    archive = known or Archive(business_date=day, state=ARCHIVE.initial)
    archive.state = ARCHIVE.after(archive.state, "write")
    for name, value in {**values, "made_by": actor.name, "made_at": timezone.now()}.items():
        setattr(archive, name, value)
    archive.save()
    archive.stretches.all().delete()
    ArchivedStretch.objects.bulk_create(
        ArchivedStretch(archive=archive, stream=stream, first=first, last=last) for stream, first, last in stretches
    )
    return archive


def _may_be_detached(archive: Archive) -> None:
    if archive.state == "detached":
        raise Refused(Code.ARCHIVE_DETACHED, day=str(archive))
    manifest = manifest_of(archive)
    with whole_node(WHY):
        _must_be_over(archive.business_date)
        _must_be_current(archive, [Column(*row) for row in manifest["columns"]])


def _must_be_current(archive: Archive, kept: list[Column]) -> None:
    with whole_node(WHY):
        now = table_content(archive.business_date, kept)
    if now != (archive.content, archive.rows) or [c.name for c in kept] != [c.name for c in columns()]:
        raise Refused(Code.ARCHIVE_STALE, day=str(archive))


def _in_database(statement: str, values: list[Any], day: date) -> Any:
    """One function of sql/partitions.sql, its refusals as ours."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchone()[0]
    except DatabaseError as error:
        cause = error.__cause__
        if isinstance(cause, psycopg.errors.LockNotAvailable):
            raise Refused(Code.ARCHIVE_TABLE_BUSY, day=day.isoformat()) from None
        if isinstance(cause, psycopg.Error) and cause.sqlstate == "SK505":
            raise Refused(Code.ARCHIVE_STALE, day=day.isoformat()) from None
        raise
