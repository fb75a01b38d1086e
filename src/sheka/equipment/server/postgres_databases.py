"""The databases of a cluster and the roles that enter them (H1): see postgres_roles.

What the owner makes in a database is open to the application for reading and changing rows only (PostgreSQL's ALTER
DEFAULT PRIVILEGES); append-only tables then take UPDATE and DELETE back.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from sheka.equipment.server.postgres_roles import APP, IN_DATABASE, OWNER, ROLES, enter_database, make_role
from sheka.foundation.refusals import Code, Refused

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class Databases(ABC):
    """Roles and databases of a running cluster, made as its administrator."""

    @property
    @abstractmethod
    def passwords(self) -> dict[str, str]:
        """The password of each role."""

    @abstractmethod
    def parameters(self, database: str, user: str = APP) -> dict[str, str]:
        """Connection parameters with libpq's names."""

    @contextmanager
    def administrator(self, database: str = "postgres") -> Iterator[psycopg.Connection[Any]]:
        """A connection as the cluster's administrator, each statement its own transaction."""
        connection = psycopg.connect(**self.parameters(database, "postgres"), autocommit=True)  # type: ignore[arg-type]
        try:
            yield connection
        finally:
            connection.close()

    def create_roles(self) -> None:
        """Make the roles, or give existing ones the passwords of the file."""
        with self.administrator() as connection:
            known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for role in ROLES:
                connection.execute(make_role(role, self.passwords.get(role.name), known=role.name in known))

    def databases(self) -> list[str]:
        """The databases that are there, templates of the system excepted."""
        query = "SELECT datname FROM pg_database WHERE datname NOT IN ('template0', 'template1', 'postgres') ORDER BY 1"
        with self.administrator() as connection:
            return [str(row[0]) for row in connection.execute(query)]

    def create_database(self, name: str, template: str | None = None) -> None:
        """Make a database that `sheka_owner` owns and only our roles may enter, empty or as a copy of `template`.

        Raises Refused(POSTGRES_DATABASE_NAME) for a name that is not lower-case letters, digits and `_`,
        POSTGRES_DATABASE_EXISTS when it is there already.
        """
        database, draft_name = _identifier(name), f"{name[:50]}_draft"
        draft = _identifier(draft_name)
        source = sql.SQL("") if template is None else sql.SQL("TEMPLATE {}").format(_identifier(template))
        if name in self.databases():
            raise Refused(Code.POSTGRES_DATABASE_EXISTS, database=name)
        self.drop_database(draft_name)
        with self.administrator() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} {}").format(draft, sql.Identifier(OWNER), source))
        self.open_database(draft_name)
        with self.administrator() as connection:  # under its name only when it is whole
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(draft, database))

    def open_database(self, name: str) -> None:
        """Let our roles and nobody else into a database, also one of an earlier version that knew fewer roles."""
        _identifier(name)
        with self.administrator(name) as connection:
            connection.execute(enter_database(name))
            connection.execute(IN_DATABASE)

    def ensure_database(self, name: str) -> bool:
        """Make the database when it is missing, open it to the roles when it is there. Whether it was made now."""
        if name in self.databases():
            self.open_database(name)
            return False
        self.create_database(name)
        return True

    def freeze_database(self, name: str) -> None:
        """Make a database a template that nobody can enter or change; copies of it are quick and never wait."""
        with self.administrator() as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true").format(_identifier(name))
            )

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it; one that is not there is no error."""
        database = _identifier(name)
        with self.administrator() as connection:
            if name in self.databases():
                connection.execute(sql.SQL("ALTER DATABASE {} WITH IS_TEMPLATE false").format(database))
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))


def _identifier(name: str) -> sql.Identifier:
    if NAME.fullmatch(name) is None:
        raise Refused(Code.POSTGRES_DATABASE_NAME, name=name)
    return sql.Identifier(name)
