"""Archived days of transactions (S4): what there is, what is due, looking into them, and the proof that they hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.queries import Fault
from sheka.systems.transactions import archive_files
from sheka.systems.transactions.archive_files import Column
from sheka.systems.transactions.archive_models import Archive
from sheka.systems.transactions.partitions import partitions
from sheka.systems.transactions.queries import institutions_of, terminals_in_reach
from sheka.systems.transactions.retention import HeldDay, last_due
from sheka.systems.transactions.sealing import STREAM_SHIFT

TABLE = "transactions_transaction"
MOST_FOUND = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; empty means any. Dates are business dates, both included."""

    card_number: str = ""
    terminal: str = ""
    rrn: str = ""
    stan: int | None = None
    account_id: int | None = None
    since: date | None = None
    until: date | None = None


def folder_of_archive() -> Path:
    """Where this node puts its archive (node.toml: archive)."""
    return Path(settings.NODE.folder / settings.NODE.file.archive)


def archives() -> QuerySet[Archive]:
    """Every archived day, the latest first."""
    return Archive.objects.all()


def archive_of(day: date) -> Archive:
    """Raises Refused(ARCHIVE_UNKNOWN)."""
    try:
        return Archive.objects.get(business_date=day)
    except Archive.DoesNotExist:
        raise Refused(Code.ARCHIVE_UNKNOWN, day=day.isoformat()) from None


def due_days(today: date) -> list[date]:
    """The days with a partition that the policy wants archived and that are not, the oldest first."""
    known = set(Archive.objects.values_list("business_date", flat=True))
    last = last_due(today)
    return [one.day for one in partitions() if one.day is not None and one.day <= last and one.day not in known]


def held_day(day: date) -> HeldDay:
    """The windows that the rows of a day stand in, with the organisations whose institutions booked there."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT t.window_id, i.organisation_id FROM {TABLE} t"  # noqa: S608 - constant
            " JOIN transactions_institution i ON i.id = t.institution_id WHERE t.business_date = %s",
            [day],
        )
        return HeldDay(day, frozenset((row[0], row[1]) for row in cursor.fetchall()))


def columns() -> list[Column]:
    """The columns of the transactions, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            [TABLE],
        )
        return [Column(*row) for row in cursor.fetchall()]


def table_content(day: date, found: list[Column], table: str = TABLE) -> tuple[str, int]:
    """`archive_files.content` of a day as it is in the database now."""
    text = " || '|' || ".join(column.text_in_database for column in found)
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT {text} FROM {table} WHERE business_date = %s ORDER BY id", [day])  # noqa: S608
        return archive_files.content(iter(lambda: cursor.fetchmany(archive_files.ROWS_AT_ONCE), []))


def seals_of_day(day: date) -> list[tuple[int, int, bytes, int]]:
    """Number, rows, root and time (microseconds) of every seal over rows of a day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id, s.rows, s.root, (extract(epoch FROM s.sealed_at) * 1000000)::bigint FROM transactions_seal s"  # noqa: S608 - constants
            f" WHERE s.id IN (SELECT DISTINCT seal FROM {TABLE} WHERE business_date = %s) ORDER BY s.id",
            [day],
        )
        return [(row[0], row[1], bytes(row[2]), row[3]) for row in cursor.fetchall()]


def stretches_over(seals: list[int]) -> list[tuple[int, int, int]]:
    """Stream, first and last place of each run without a gap.

    >>> stretches_over([1, 2, 4, (1 << 32) + 1])
    [(0, 1, 2), (0, 4, 4), (1, 1, 1)]
    """
    found: list[tuple[int, int, int]] = []
    for seal in seals:
        stream, place = seal >> STREAM_SHIFT, seal & (1 << STREAM_SHIFT) - 1
        if found and found[-1][0] == stream and found[-1][2] == place - 1:
            found[-1] = (stream, found[-1][1], place)
        else:
            found.append((stream, place, place))
    return found


def moved_by(day: date) -> dict[str, list[int]]:
    """What the rows of a day did to personal accounts: entry kind → [entries, fen], by their entries."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.kind, count(*), sum(e.amount) FROM {TABLE} t"  # noqa: S608 - constant
            " JOIN accounts_entry e ON e.account_id = t.account_id AND e.posting_id = t.id"
            " WHERE t.business_date = %s GROUP BY e.kind ORDER BY e.kind",
            [day],
        )
        return {str(kind): [count, int(total)] for kind, count, total in cursor.fetchall()}


def archived_file_faults() -> Iterator[Fault]:
    """Where the only copy of a day is gone, cut or altered: signature and digest of each file of the detached days."""
    for archive in Archive.objects.filter(state="detached").order_by("business_date"):
        try:
            manifest_of(archive)
        except Refused as refusal:
            yield Fault(f"archive:{archive}", f"{refusal.number} {refusal.facts['file']}")


@action(Permission.TRANSACTION_VIEW)
def find_archived(actor: Actor, wanted: Wanted, *, purpose: str) -> list[dict[str, Any]]:
    """Rows of archived days of the institutions in the actor's reach, the latest first, 1,000 at most; audited.

    Each row has the columns of the transactions, `institution` and `terminal` as codes. Raises Refused:
    ARCHIVE_SEARCH, ARCHIVE_FILE_MISSING, ARCHIVE_FILE_ALTERED, ARCHIVE_SIGNATURE.
    """
    conditions = _conditions(actor, wanted)
    named = {name: str(value) for name in wanted.__slots__ if (value := getattr(wanted, name))}
    read_recorded(actor, "archive.searched", "archive:transactions", purpose, **named)
    days = Archive.objects.filter(state="detached")
    if wanted.since is not None:
        days = days.filter(business_date__gte=wanted.since)
    if wanted.until is not None:
        days = days.filter(business_date__lte=wanted.until)
    paths = [proved(archive) for archive in days]
    institutions = dict(institutions_of(actor).values_list("pk", "code"))
    if not paths or not institutions:
        return []
    reach = f"institution_id IN ({', '.join(map(str, institutions))})"
    rows = archive_files.look_for(paths, [*conditions, (f"{reach} AND ? IS NULL", None)], MOST_FOUND)
    terminals = dict(terminals_in_reach(actor).values_list("pk", "number"))
    for row in rows:
        row["institution"] = institutions[row["institution_id"]]
        row["terminal"] = terminals.get(row["terminal_id"], "")
    return rows


def proved(archive: Archive) -> Path:
    """The Parquet file of a day, when manifest and file are what was sealed.

    Raises Refused: ARCHIVE_FILE_MISSING, ARCHIVE_FILE_ALTERED, ARCHIVE_SIGNATURE.
    """
    return folder_of_archive() / str(manifest_of(archive)["files"][0]["name"])


def manifest_of(archive: Archive) -> dict[str, Any]:
    """The manifest of an archived day after its files were proved by it. Raises as `proved`."""
    folder = folder_of_archive()
    path = folder / archive.manifest
    found = archive_files.read_manifest(path, bytes(archive.public))
    if archive_files.digest_of(path).digest != archive.digest:
        raise Refused(Code.ARCHIVE_FILE_ALTERED, file=path)
    archive_files.prove_files(folder, found)
    return found


def _conditions(actor: Actor, wanted: Wanted) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name in ("card_number", "rrn", "stan", "account_id"):
        value = getattr(wanted, name)
        if value not in ("", None):
            found.append((f"{name} = ?", value))
    if wanted.terminal:
        row = terminals_in_reach(actor).filter(number=wanted.terminal).first()
        found.append(("terminal_id = ?", row.pk if row else -1))
    if not found:
        raise Refused(Code.ARCHIVE_SEARCH)
    if wanted.since is not None:
        found.append(("business_date >= ?", wanted.since))
    if wanted.until is not None:
        found.append(("business_date <= ?", wanted.until))
    return found
