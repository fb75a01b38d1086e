"""Writing and verifying the chain of audit rows.

Each row carries SM3(previous hash ‖ canonical row). The chain is written under one advisory lock, so its order is the
order of commits. Cutting the tail cannot be seen from inside: heads are exported outside the database (heads.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import connection

from sheka.foundation.canonical import canonical
from sheka.foundation.crypto.sm3 import sm3

if TYPE_CHECKING:
    from sheka.office.staff.actors import Actor

GENESIS = bytes(32)
COLUMNS = "sequence, at, staff_id, actor, organisation_id, event, subject, facts, previous, hash"
_CHAIN_LOCK = 0x5348454B_41  # "SHEKA": the chain of this database
_written: ContextVar[int] = ContextVar("audit_rows_written", default=0)


def record(actor: Actor, event: str, subject: str, **facts: object) -> int:
    """Append one row in the running transaction; its number.

    `subject` names a thing without a person number ("card:D2143569X"); `facts` are what a reader needs to understand
    it.
    """
    text = canonical(facts).decode()
    hold_chain()
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequence, hash FROM audit_head()")
        last = cursor.fetchone()
        sequence, previous = (last[0] + 1, bytes(last[1])) if last else (1, GENESIS)
        row = (sequence, datetime.now(UTC), actor.staff_id, actor.name, actor.organisation, event, subject)
        cursor.execute(
            f"INSERT INTO audit_event ({COLUMNS})"  # noqa: S608 - our own columns
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [*row, text, previous, sm3(previous + body_of((*row, text)))],
        )
    _written.set(_written.get() + 1)
    return sequence


def hold_chain() -> None:
    """Wait for the chain and hold it to the end of the transaction. `record` does it; called by itself before a lock
    that others wait for with the chain in hand.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHAIN_LOCK])


@contextmanager
def witnessed() -> Iterator[Callable[[], bool]]:
    """Yields a question: has an audit row been written since we entered?"""
    before = _written.get()
    yield lambda: _written.get() > before


def head() -> tuple[int, bytes]:
    """The last sequence number and hash: what is exported outside the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequence, hash FROM audit_head()")
        row = cursor.fetchone()
    return (row[0], bytes(row[1])) if row else (0, GENESIS)


def body_of(row: tuple[Any, ...]) -> bytes:
    """What is hashed of a row (its columns in the order of COLUMNS): seven in canonical form, its facts as stored."""
    return canonical(list(row[:7])) + str(row[7]).encode()
