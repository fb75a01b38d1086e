"""Verifying the chain of audit rows, against itself and against exported heads, in bounded memory.

From inside it finds an edited row, a gap, rows that changed places, a row dated before its predecessor. A cut tail and
a chain that somebody computed anew agree with themselves: only heads that were kept outside the database find them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction

from sheka.foundation.crypto.sm3 import sm3
from sheka.office.audit.heads import Head
from sheka.office.audit.trail import COLUMNS, GENESIS, body_of
from sheka.office.scope import whole_node

TOLERANCE = timedelta(seconds=5)
"""How far a clock may be set back between two rows."""
NEAR = 32
"""How many places a moved row is looked for."""
MOST = 1000
CHUNK = 2000
Row = tuple[int, datetime, int | None, str, str, str, str, str, bytes, bytes]
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not hold, and where. Faults: missing · edited · moved · unlinked · backdated · tail_cut · head_wrong ·
    head_foreign · head_order.
    """

    sequence: int
    fault: str
    detail: str = ""


@dataclass(slots=True)
class Verdict:
    """What was read and what was found. `more`: there are findings beyond the first thousand."""

    rows: int = 0
    last: tuple[int, bytes] = (0, GENESIS)
    heads: int = 0
    anchored: int = 0
    """The last row whose hash an exported head confirms."""
    findings: list[Finding] = field(default_factory=list)
    more: bool = False
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        return not self.findings

    def found(self, sequence: int, fault: str, detail: str = "") -> None:
        if len(self.findings) < MOST:
            self.findings.append(Finding(sequence, fault, detail))
        else:
            self.more = True


def verify(heads: Iterable[Head] = (), trusted: frozenset[bytes] = frozenset(), tell: Tell | None = None) -> Verdict:
    """Recompute the chain from its first row, and compare it with `heads` (in the order of their export).

    `trusted`: the public keys (64 or 65 bytes as exported) that may have signed them. `tell(done, total)` hears how
    far it is. Keeps one chunk of rows at a time.
    """
    verdict, began = Verdict(), time.monotonic()
    waiting = _checked(heads, trusted, verdict)
    head = next(waiting, None)
    before: Row | None = None
    for row in _rows(tell):
        _look_at(row, before, verdict)
        while head is not None and head.sequence <= row[0]:
            _compare(head, row, verdict)
            head = next(waiting, None)
        before = row
        verdict.rows += 1
        verdict.last = (row[0], bytes(row[9]))
    while head is not None:
        if head.sequence:
            verdict.found(head.sequence, "tail_cut", head.place)
        head = next(waiting, None)
    verdict.seconds = time.monotonic() - began
    return verdict


def _rows(tell: Tell | None) -> Iterator[Row]:
    """Every row in the order of the numbers, over a cursor of the server."""
    with whole_node("the chain is one over all organisations"), transaction.atomic():
        total = 0
        if tell is not None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT coalesce(max(sequence), 0) FROM audit_event")
                total = cursor.fetchone()[0]
        done = 0
        with connection.chunked_cursor() as cursor:
            cursor.execute(f"SELECT {COLUMNS} FROM audit_event ORDER BY sequence")  # noqa: S608 - our own columns
            while rows := cursor.fetchmany(CHUNK):
                yield from rows
                done += len(rows)
                if tell is not None:
                    tell(done, max(total, done))


def _look_at(row: Row, before: Row | None, verdict: Verdict) -> None:
    """Compare a row with the one before it and with its own hash."""
    sequence, linked, stored = row[0], bytes(row[8]), bytes(row[9])
    expected = before[0] + 1 if before else 1
    if sequence != expected:
        verdict.found(expected, "missing", str(sequence - expected))
    elif linked != (bytes(before[9]) if before else GENESIS):
        verdict.found(sequence, "unlinked")
    if sm3(linked + body_of(row)) != stored:
        was = _place_before(row, linked, stored)
        verdict.found(sequence, "moved" if was else "edited", str(was or ""))
    if before is not None and row[1] < before[1] - TOLERANCE:
        verdict.found(sequence, "backdated", before[1].isoformat())


def _place_before(row: Row, linked: bytes, stored: bytes) -> int | None:
    """The number that this row was written under, when only its number was changed."""
    for distance in range(1, NEAR + 1):
        for place in (row[0] - distance, row[0] + distance):
            if sm3(linked + body_of((place, *row[1:]))) == stored:
                return place
    return None


def _checked(heads: Iterable[Head], trusted: frozenset[bytes], verdict: Verdict) -> Iterator[Head]:
    """The heads whose signature holds, in rising order; the others are findings."""
    before: Head | None = None
    for head in heads:
        verdict.heads += 1
        if not head.signed_by(trusted):
            verdict.found(head.sequence, "head_foreign", head.place)
            continue
        linked = sm3(before.line.encode()).hex() if before else head.previous
        if head.previous != linked or (before is not None and head.sequence < before.sequence):
            verdict.found(head.sequence, "head_order", head.place)
        if before is None or head.sequence >= before.sequence:
            before = head
            yield head


def _compare(head: Head, row: Row, verdict: Verdict) -> None:
    if not head.sequence:
        return
    if head.sequence == row[0] and head.hash == bytes(row[9]):
        verdict.anchored = row[0]
    else:
        verdict.found(head.sequence, "head_wrong", head.place)
