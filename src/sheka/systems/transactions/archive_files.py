"""A day of transactions as files: Parquet written and read by DuckDB, a manifest signed by the node's machine (S4).

Beside `transactions-<day>.parquet` and `seals-<day>.parquet` stands `manifest-<day>.json`: what the files hold in
counts, sums and digests (SM3), with an SM2 signature over its canonical form, as the audit heads are signed. Every
file is written under another name, brought to the disk and renamed; a killed writer leaves nothing that is taken for
an archive.

`content` is the SM3 over the rows as text in the order of their numbers: columns joined by |, times in microseconds,
no value as \\N. Database and Parquet give it alike, so it proves both ways.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from sheka.equipment.server.files import make_folder
from sheka.foundation.canonical import canonical
from sheka.foundation.crypto.sm2 import verify
from sheka.foundation.refusals import Code, Refused

TYPES = {
    "bigint": "BIGINT",
    "integer": "INTEGER",
    "smallint": "SMALLINT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp with time zone": "TIMESTAMP",
}
"""How a column of PostgreSQL stands in Parquet; what is not listed is text."""
NUMBERS = ("bigint", "integer", "smallint", "boolean", "date")
ROWS_AT_ONCE = 20_000
PARTS = 1 << 20
MESSAGE = b"sheka archive\n"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its name and its type as PostgreSQL calls it."""

    name: str
    kind: str

    @property
    def plain(self) -> str:
        """What PostgreSQL gives for a CSV that DuckDB reads back."""
        if self.kind == "timestamp with time zone":
            return f'(extract(epoch FROM "{self.name}") * 1000000)::bigint'
        return f"encode(\"{self.name}\", 'hex')" if self.kind == "bytea" else f'"{self.name}"'

    @property
    def text_in_database(self) -> str:
        return _escaped(f"({self.plain})::text", self.kind)

    @property
    def text_in_parquet(self) -> str:
        value = f'epoch_us("{self.name}")' if self.kind == "timestamp with time zone" else f'"{self.name}"'
        return _escaped(f"CAST({value} AS VARCHAR)", self.kind)

    @property
    def read(self) -> str:
        """From the CSV into Parquet."""
        if self.kind == "timestamp with time zone":
            return f'make_timestamp("{self.name}") AS "{self.name}"'
        return f'"{self.name}"'


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it stands in a manifest."""

    name: str
    bytes: int
    digest: str

    def plain(self) -> dict[str, object]:
        return {"name": self.name, "bytes": self.bytes, "sm3": self.digest}


def names_of(day: date) -> tuple[str, str, str]:
    """Transactions, seals, manifest."""
    text = day.isoformat()
    return f"transactions-{text}.parquet", f"seals-{text}.parquet", f"manifest-{text}.json"


@contextmanager
def drafts(folder: Path, day: date) -> Iterator[Path]:
    """A folder for files under way, inside the archive so that renaming is one step; whatever was left there is gone.

    Raises Refused(ARCHIVE_DISK_FULL) when the disk is full, whoever meets it.
    """
    place = make_folder(folder, mode=0o700) / f".writing-{day.isoformat()}"
    with disk_may_be_full(folder):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


@contextmanager
def disk_may_be_full(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Refused(Code.ARCHIVE_DISK_FULL, folder=folder) from None
        raise
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        if "No space left" in str(error) or shutil.disk_usage(folder).free < PARTS:
            raise Refused(Code.ARCHIVE_DISK_FULL, folder=folder) from None
        raise


def to_parquet(source: Path, target: Path, columns: Iterable[Column]) -> None:
    """A CSV without header (no value: \\N) in the order of its numbers → Parquet, on the disk."""
    columns = list(columns)
    kinds = {
        c.name: "BIGINT" if c.kind == "timestamp with time zone" else TYPES.get(c.kind, "VARCHAR") for c in columns
    }
    listed = ", ".join(f"'{name}': '{kind}'" for name, kind in kinds.items())
    with duckdb.connect() as engine:
        _limit(engine, target.parent)
        read = (
            f"read_csv('{_quoted(source)}', header = false, auto_detect = false, delim = ',', quote = '\"',"
            f" escape = '\"', nullstr = '\\N', allow_quoted_nulls = false, columns = {{{listed}}})"
        )
        chosen = ", ".join(column.read for column in columns)
        engine.execute(
            f"COPY (SELECT {chosen} FROM {read}) TO '{_quoted(target)}'"  # noqa: S608 - our columns and paths
            " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000)"
        )
    _to_disk(target)


def content_of(path: Path, columns: Iterable[Column]) -> tuple[str, int]:
    """SM3 over the rows of a Parquet file as text in the order of their numbers, and how many there are."""
    text = " || '|' || ".join(column.text_in_parquet for column in columns)
    with duckdb.connect() as engine:
        _limit(engine, path.parent)
        rows = engine.execute(f"SELECT {text} FROM read_parquet('{_quoted(path)}') ORDER BY id")  # noqa: S608
        return content(iter(lambda: rows.fetchmany(ROWS_AT_ONCE), []))


def content(chunks: Iterable[list[tuple[Any, ...]]]) -> tuple[str, int]:
    """The same over rows of one text each."""
    digest, count = hashlib.new("sm3"), 0
    for rows in chunks:
        digest.update("".join([f"{row[0]}\n" for row in rows]).encode())
        count += len(rows)
    return digest.hexdigest(), count


def effects_of(path: Path, effect: str) -> tuple[str, int, int]:
    """SM3 over "number:account:fen" of every row that moved money, in the order of their numbers, and the first and
    last number; `effect` is an expression over the columns.
    """
    with duckdb.connect() as engine:
        _limit(engine, path.parent)
        moved = f"FROM (SELECT *, {effect} AS effect FROM read_parquet('{_quoted(path)}') t)"  # noqa: S608 - our own
        moved += " WHERE refusal = 0 AND account_id IS NOT NULL AND effect <> 0"
        first, last = engine.execute(f"SELECT coalesce(min(id), 0), coalesce(max(id), 0) {moved}").fetchone() or (0, 0)
        rows = engine.execute(f"SELECT concat_ws(':', id, account_id, effect) {moved} ORDER BY id")
        return content(iter(lambda: rows.fetchmany(ROWS_AT_ONCE), []))[0], first, last


def rows_as_csv(path: Path, columns: Iterable[Column]) -> Iterator[bytes]:
    """The rows of a Parquet file as CSV for COPY, times as PostgreSQL reads them, no value as \\N."""
    parts = []
    for column in columns:
        at = column.kind == "timestamp with time zone"
        value = f"strftime(\"{column.name}\", '%Y-%m-%d %H:%M:%S.%f+00')" if at else f'CAST("{column.name}" AS VARCHAR)'
        prefix = "'\\x' || " if column.kind == "bytea" else ""
        quoted = f"'\"' || replace({prefix}{value}, '\"', '\"\"') || '\"'"
        parts.append(f"coalesce({quoted}, '\\N')")
    with duckdb.connect() as engine:
        _limit(engine, path.parent)
        listed = " || chr(44) || ".join(parts)
        found = engine.execute(f"SELECT {listed} FROM read_parquet('{_quoted(path)}') ORDER BY id")  # noqa: S608
        while rows := found.fetchmany(ROWS_AT_ONCE):
            yield "".join([f"{row[0]}\n" for row in rows]).encode()


def look_for(paths: list[Path], wanted: list[tuple[str, object]], most: int) -> list[dict[str, Any]]:
    """Rows of Parquet files with these conditions (SQL with ?, value), the latest first, `most` at most."""
    where = " AND ".join(condition for condition, _value in wanted) or "true"
    with duckdb.connect() as engine:
        _limit(engine, paths[0].parent)
        found = engine.execute(
            f"SELECT * FROM read_parquet(?, union_by_name = true) WHERE {where}"  # noqa: S608 - our conditions
            f" ORDER BY id DESC LIMIT {int(most)}",
            [[str(path) for path in paths], *(value for _condition, value in wanted)],
        )
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def digest_of(path: Path) -> Written:
    """A file's size and SM3. Raises Refused(ARCHIVE_FILE_MISSING)."""
    digest, size = hashlib.new("sm3"), 0
    try:
        with path.open("rb") as file:
            while part := file.read(PARTS):
                digest.update(part)
                size += len(part)
    except FileNotFoundError:
        raise Refused(Code.ARCHIVE_FILE_MISSING, file=path) from None
    return Written(path.name, size, digest.hexdigest())


def keep(drafts: Path, folder: Path, names: Iterable[str]) -> None:
    """Rename finished files to their place, the manifest last, and bring the folder to the disk."""
    for name in names:
        (drafts / name).replace(folder / name)
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def write_text(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    _to_disk(path)


def message_of(manifest: dict[str, Any]) -> bytes:
    """What is signed: everything but the signature, in canonical form."""
    return MESSAGE + canonical({name: value for name, value in manifest.items() if name != "signature"})


def read_manifest(path: Path, public: bytes) -> dict[str, Any]:
    """The manifest, when the machine with this public key has signed it.

    Raises Refused: ARCHIVE_FILE_MISSING, ARCHIVE_SIGNATURE.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        signed = verify(public, message_of(found), bytes.fromhex(found["signature"]))
        right = signed and found["public"] == public.hex()
    except FileNotFoundError:
        raise Refused(Code.ARCHIVE_FILE_MISSING, file=path) from None
    except (ValueError, KeyError, TypeError):
        right = False
    if not right:
        raise Refused(Code.ARCHIVE_SIGNATURE, file=path)
    return found


def prove_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Every file is as the manifest says. Raises Refused: ARCHIVE_FILE_MISSING, ARCHIVE_FILE_ALTERED."""
    for row in manifest["files"]:
        if digest_of(folder / row["name"]).plain() != row:
            raise Refused(Code.ARCHIVE_FILE_ALTERED, file=folder / row["name"])


def _escaped(text: str, kind: str) -> str:
    if kind not in NUMBERS and kind != "timestamp with time zone":
        text = f"replace(replace(replace({text}, '\\', '\\\\'), '|', '\\|'), chr(10), '\\n')"
    return f"coalesce({text}, '\\N')"


def _limit(engine: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """One thread beside the switch, memory that no node misses, spilling beside the archive, nothing from outside."""
    engine.execute("SET threads = 1; SET memory_limit = '1GB'; SET autoinstall_known_extensions = false")
    engine.execute(f"SET temp_directory = '{_quoted(folder / '.spill')}'; SET preserve_insertion_order = true")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _to_disk(path: Path) -> None:
    path.chmod(0o600)
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
