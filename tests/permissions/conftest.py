"""Fixtures of the generated permission tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.organisations import appoint, installer, tree
from tests.support.town_here import town_here

__all__ = ["appoint", "installer", "town_here", "tree"]

WRITTEN_ANYWAY = (
    "audit_event",
    "django_session",
    "staff_staffsession",
    "staff_sign",
    "clients_minute",
    "clients_reply",
)
"""Who asked, what a client was answered, when a session was last seen: written whatever the answer."""
UNREADABLE = ("transactions_change",)
"""The switch's count of changes, which the application may not read."""


@pytest.fixture
def rows(db: None) -> Callable[[], dict[str, int]]:
    """rows() → how many rows each table has, but for those that every request writes."""
    return counted


def counted() -> dict[str, int]:
    from django.db import connection

    with connection.cursor() as cursor:
        tables = [
            name
            for name in connection.introspection.table_names(cursor)
            if not name.startswith(WRITTEN_ANYWAY + UNREADABLE)
        ]
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in tables))
        return dict(cursor.fetchall())
