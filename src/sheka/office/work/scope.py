"""Whose notices may be read now: beside its organisation, row-level security asks a notice for its person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

EVERYBODY = "*"


@contextmanager
def reading_as(reader: int | str) -> Iterator[None]:
    """Inside, in a transaction, the notices of this person are seen; with EVERYBODY those of all, for the clock."""
    with transaction.atomic():
        _tell(str(reader))
        yield
        _tell("")


def _tell(reader: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('sheka.reader', %s, true)", [reader])
