"""The roles and databases of a cluster (H1): `sheka_owner` owns and migrates, `sheka_app` runs and can alter nothing.

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

from sheka.foundation.refusals import Code, Refused

OWNER = "sheka_owner"
APP = "sheka_app"
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
DEFAULTS = """
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO sheka_app;
ALTER DEFAULT PRIVILEGES FOR ROLE sheka_owner GRANT USAGE ON SCHEMAS TO sheka_app;
ALTER DEFAULT PRIVILEGES FOR ROLE sheka_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO sheka_app;
ALTER DEFAULT PRIVILEGES FOR ROLE sheka_owner GRANT USAGE, SELECT ON SEQUENCES TO sheka_app;
ALTER DEFAULT PRIVILEGES FOR ROLE sheka_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE sheka_owner GRANT EXECUTE ON FUNCTIONS TO sheka_app;
"""


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
        """Make both roles, or give existing ones the passwords of the file."""
        with self.administrator() as connection:
            for role in (OWNER, APP):
                known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
                verb = "ALTER" if known else "CREATE"
                connection.execute(
                    sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                        sql.SQL(verb), sql.Identifier(role), sql.Literal(self.passwords[role])
                    )
                )

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
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(draft))
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(draft, sql.Identifier(APP)))
        if template is None:
            with self.administrator(draft_name) as connection:
                connection.execute(DEFAULTS)
        with self.administrator() as connection:  # under its name only when it is whole
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(draft, database))

    def ensure_database(self, name: str) -> bool:
        """Make the database when it is missing. Returns whether it was made now."""
        if name in self.databases():
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
