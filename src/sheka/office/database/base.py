"""The connection that tells PostgreSQL the scope (`sheka.scope`) before a statement that runs under another one.

`set_config` inside a transaction is undone by a rollback, also to a savepoint; after one the scope is told again.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from sheka.office import scope

UNKNOWN = None


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that knows which scope the server has."""

    told: str | None = UNKNOWN

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.told = UNKNOWN
        return super().get_new_connection(conn_params)

    def create_cursor(self, name: str | None = None) -> Any:
        wanted = scope.current()
        if self.told != wanted and self.connection.info.transaction_status.name != "INERROR":
            self.connection.execute("SELECT set_config('sheka.scope', %s, false)", [wanted])
            self.told = wanted
        return super().create_cursor(name)

    def _rollback(self) -> None:
        self.told = UNKNOWN
        super()._rollback()

    def _savepoint_rollback(self, sid: str) -> None:
        self.told = UNKNOWN
        super()._savepoint_rollback(sid)

    def close(self) -> None:
        self.told = UNKNOWN
        super().close()
