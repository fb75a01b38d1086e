"""Writing and verifying the chain of audit rows.

Each row carries SM3(previous hash ‖ canonical row). The chain is written under one advisory lock, so its order is the
order of commits. Cutting the tail cannot be seen from inside: heads are exported outside the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import connection

from sheka.foundation.canonical import canonical
from sheka.foundation.crypto.sm3 import sm3

if TYPE_CHECKING:
    from sheka.office.staff.actors import Actor

GENESIS = bytes(32)
_CHAIN_LOCK = 0x5348454B_41  # "SHEKA": the chain of this database
_written: ContextVar[int] = ContextVar("audit_rows_written", default=0)


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold: the sequence number and what is wrong with it."""

    sequence: int
    fault: str


def record(actor: Actor, event: str, subject: str, **facts: object) -> None:
    """Append one row in the running transaction.

    `subject` names a thing without a person number ("card:D2143569X"); `facts` are what a reader needs to understand
    it.
    """
    text = canonical(facts)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHAIN_LOCK])
        cursor.execute("SELECT sequence, hash FROM audit_event ORDER BY sequence DESC LIMIT 1")
        last = cursor.fetchone()
        sequence, previous = (last[0] + 1, bytes(last[1])) if last else (1, GENESIS)
        row = (sequence, datetime.now(UTC), actor.staff_id, actor.name, actor.organisation, event, subject)
        cursor.execute(
            "INSERT INTO audit_event"
            " (sequence, at, staff_id, actor, organisation_id, event, subject, facts, previous, hash)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [*row, text.decode(), previous, sm3(previous + _body(row, text))],
        )
    _written.set(_written.get() + 1)


@contextmanager
def witnessed() -> Iterator[Callable[[], bool]]:
    """Yields a question: has an audit row been written since we entered?"""
    before = _written.get()
    yield lambda: _written.get() > before


def head() -> tuple[int, bytes]:
    """The last sequence number and hash: what is exported outside the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequence, hash FROM audit_event ORDER BY sequence DESC LIMIT 1")
        row = cursor.fetchone()
    return (row[0], bytes(row[1])) if row else (0, GENESIS)


def verify_chain(expected_head: tuple[int, bytes] | None = None) -> list[Break]:
    """Recompute the chain from its first row. An empty list means that it holds.

    With `expected_head` (an exported one) a tail that was cut is found too.
    """
    breaks: list[Break] = []
    previous, expected, hashes = GENESIS, 1, {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sequence, at, staff_id, actor, organisation_id, event, subject, facts, previous, hash"
            " FROM audit_event ORDER BY sequence"
        )
        for sequence, at, staff_id, actor, organisation, event, subject, facts, linked, stored in cursor:
            if sequence != expected:
                breaks.append(Break(expected, "missing"))
            body = _body((sequence, at, staff_id, actor, organisation, event, subject), facts.encode())
            if bytes(linked) != previous:
                breaks.append(Break(sequence, "not linked to the row before it"))
            if sm3(bytes(linked) + body) != bytes(stored):
                breaks.append(Break(sequence, "edited"))
            previous, expected = bytes(stored), sequence + 1
            if expected_head and sequence == expected_head[0]:
                hashes[sequence] = bytes(stored)
    if expected_head and expected_head[0] and hashes.get(expected_head[0]) != expected_head[1]:
        breaks.append(Break(expected_head[0], "the exported head is not in the chain: its tail was cut"))
    return breaks


def _body(row: tuple[object, ...], facts: bytes) -> bytes:
    """What is hashed of a row: its columns in canonical form, and its facts as they are stored."""
    return canonical(list(row)) + facts
