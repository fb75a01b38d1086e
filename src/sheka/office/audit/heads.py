"""Signed heads of the chain, kept outside the database: what finds a cut tail and a chain that was written anew.

A head is one line of JSON in `heads-<day>.jsonl`: node, number and hash of the last row, time, SM3 of the line before,
SM2 signature of the node's encryption machine over the rest in canonical form. The files only grow. Put the folder on a
medium that the administrators of the database cannot write, and copy it away each day.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.server.files import make_folder, unwritable
from sheka.foundation.canonical import canonical
from sheka.foundation.crypto.sm2 import verify
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.trail import head
from sheka.office.scope import whole_node

PATTERN = "heads-????-??-??.jsonl"
CALLER = "systems"


@dataclass(frozen=True, slots=True)
class Head:
    """An exported head. `line` is its text in the file, `place` where it stands (file:line)."""

    node: str
    sequence: int
    hash: bytes
    at: datetime
    previous: str
    public: bytes
    signature: bytes
    line: str
    place: str

    @classmethod
    def parse(cls, line: str, place: str) -> Head:
        """Raises Refused(AUDIT_HEAD_FILE) for a line that is no head."""
        try:
            row = json.loads(line)
            return cls(
                str(row["node"]),
                int(row["sequence"]),
                bytes.fromhex(row["hash"]),
                datetime.fromisoformat(row["at"]),
                str(row["previous"]),
                bytes.fromhex(row["public"]),
                bytes.fromhex(row["signature"]),
                line,
                place,
            )
        except (ValueError, KeyError, TypeError):
            raise Refused(Code.AUDIT_HEAD_FILE, place=place) from None

    def signed_by(self, trusted: frozenset[bytes]) -> bool:
        """Whether one of the trusted keys has signed exactly this."""
        message = _message(self.node, self.sequence, self.hash, self.at, self.previous, self.public)
        return self.public in trusted and verify(self.public, message, self.signature)


def folder_of_heads() -> Path:
    """Where this node puts its heads (node.toml: audit_heads)."""
    return Path(settings.NODE.folder / settings.NODE.file.audit_heads)


def read_heads(place: Path) -> Iterator[Head]:
    """The heads of a file, or of a folder's files in the order of their days."""
    for path in sorted(place.glob(PATTERN)) if place.is_dir() else [place]:
        try:
            with path.open(encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    yield Head.parse(line.rstrip("\n"), f"{path.name}:{number}")
        except (OSError, UnicodeDecodeError):
            raise Refused(Code.AUDIT_HEAD_FILE, place=str(path)) from None


def own_heads() -> Iterator[Head]:
    """The heads that this node has exported; none before the first export."""
    folder = folder_of_heads()
    return read_heads(folder) if folder.exists() else iter(())


def last_head(folder: Path) -> Head | None:
    """The newest head of a folder; reads its last file only."""
    for path in sorted(folder.glob(PATTERN), reverse=True):
        if found := deque(read_heads(path), maxlen=1):
            return found[0]
    return None


def export_head(*, again: bool = False) -> Head | None:
    """Sign the head of the chain and add it to the file of the day; None when the last export says the same.

    Raises Refused: AUDIT_NO_MACHINE, AUDIT_HEAD_LOST when the row of the last export is no longer what it was (nothing
    is signed then), SERVER_FOLDER_UNWRITABLE, and what the machine refuses.
    """
    folder = make_folder(folder_of_heads(), mode=0o700)
    lock = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        last, (sequence, hash_) = last_head(folder), head()
        if last is not None:
            _must_still_stand(last)
            if (last.sequence, last.hash) == (sequence, hash_) and not again:
                return None
        return _append(folder, _signed(sequence, hash_, sm3(last.line.encode()).hex() if last else ""))
    finally:
        os.close(lock)


def signing_machine() -> EncryptionMachine:
    """A line to the machine that signs: the first of the node's file. Raises Refused(AUDIT_NO_MACHINE)."""
    node = settings.NODE
    if not node.machines:
        raise Refused(Code.AUDIT_NO_MACHINE)
    name = node.machines[0].name
    return EncryptionMachine(node.machine_address(name), CALLER, node.machine_secret(name, CALLER))


def _must_still_stand(last: Head) -> None:
    with whole_node("the chain is one over all organisations"), connection.cursor() as cursor:
        cursor.execute("SELECT hash FROM audit_event WHERE sequence = %s", [last.sequence])
        row = cursor.fetchone()
    if last.sequence and (row is None or bytes(row[0]) != last.hash):
        raise Refused(Code.AUDIT_HEAD_LOST, sequence=last.sequence, place=last.place)


def _signed(sequence: int, hash_: bytes, previous: str) -> str:
    node, at = settings.NODE.name, timezone.now()
    with signing_machine() as machine:
        public = machine.public_key()
        signature = machine.sign(_message(node, sequence, hash_, at, previous, public))
    return json.dumps(
        {
            "node": node,
            "sequence": sequence,
            "hash": hash_.hex(),
            "at": at.isoformat(),
            "previous": previous,
            "public": public.hex(),
            "signature": signature.hex(),
        }
    )


def _append(folder: Path, line: str) -> Head:
    path = folder / f"heads-{timezone.localdate().isoformat()}.jsonl"
    try:
        number = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            os.write(number, f"{line}\n".encode())
            os.fsync(number)
        finally:
            os.close(number)
    except OSError as error:
        raise unwritable(path, error) from None
    return Head.parse(line, path.name)


def _message(node: str, sequence: int, hash_: bytes, at: datetime, previous: str, public: bytes) -> bytes:
    named = {"node": node, "sequence": sequence, "hash": hash_, "at": at, "previous": previous, "public": public}
    return b"sheka audit head\n" + canonical(named)
