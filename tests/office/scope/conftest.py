"""Fixtures of the tests of the scope: a money world, connections of every database role."""

from __future__ import annotations

import psycopg
import pytest
from django.conf import settings
from tests.support.organisations import appoint, installer, tree
from tests.support.payments import bank, haikou_machine

__all__ = ["appoint", "bank", "haikou_machine", "installer", "tree"]


@pytest.fixture
def entered(db):
    """entered(role) → a connection of this database role into the test's database, closed afterwards."""
    opened = []

    def enter(role: str, **options: object) -> psycopg.Connection:
        node = settings.NODE
        address = node.cluster.dsn(node.file.database.name, "postgres" if role == "postgres" else f"sheka_{role}")
        opened.append(psycopg.connect(address, autocommit=True, **options))
        return opened[-1]

    yield enter
    for connection in opened:
        connection.close()
