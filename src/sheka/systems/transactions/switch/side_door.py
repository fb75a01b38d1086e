"""A connection of the switch beside its lanes: keys, PINs and faults are asked and written over it (S4)."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

BROKEN = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)
_LINE_BROKEN = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresConnectionError)
PATIENCE = 5.0


class SideDoor:
    """One statement at a time, each a transaction of its own. A line that broke is made anew for the next one."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._lock = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None

    async def row(self, statement: str, *arguments: object) -> Any:
        """The first row of a statement. Raises one of `BROKEN`."""
        async with self._lock:
            connection = await self.connection()
            try:
                return await connection.fetchrow(statement, *arguments)
            except (*_LINE_BROKEN, TimeoutError):
                connection.terminate()
                self._connection = None
                raise

    async def value(self, statement: str, *arguments: object) -> Any:
        """The first column of it."""
        found = await self.row(statement, *arguments)
        return None if found is None else found[0]

    async def connection(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._dsn,
                timeout=PATIENCE,
                command_timeout=PATIENCE,
                server_settings={"application_name": "switch side door"},
            )
        return self._connection

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
