"""The registry in memory: which terminals there are, of whose institution, and which key proves their messages.

States are not kept here: the purchase function reads them, so a suspended terminal is refused at once. Rows that change
announce themselves (NOTIFY); an unknown terminal makes us look again, at most once a second and a twentieth of the
time. A line that died in silence announces nothing: it is asked every few seconds, and made anew when it does not
answer, so that a withdrawn certificate or key does not stay in force because nobody heard of it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import asyncpg

from sheka.systems.transactions.switch.line_keys import InstitutionLine, LineKeys, TerminalKeys

log = logging.getLogger("sheka.switch")
CHANNEL = "transactions_registry"
BEAT = 2.0
PATIENCE = 2.0
"""Seconds between two looks whether the line lives, and those that an answer may take."""
LOADING = 20.0
SPARED = 20.0
"""A look takes at most a twentieth of the time, whoever asks for terminals that do not exist."""
_QUERY = """
SELECT t.number, t.id, i.id, i.code, i.organisation_id, i.mac_key, i.test_of_id IS NOT NULL,
    t.state = 'locked', t.state = 'closed' OR i.state = 'closed'
FROM transactions_terminal t JOIN transactions_institution i ON i.id = t.institution_id
"""


@dataclass(frozen=True, slots=True)
class RegisteredTerminal:
    """A terminal with its institution; `institution` is the code padded to the 15 characters of field 42. `testing`: of
    the test side of one, so it speaks for test cards only. `locked`: too much of it was wrong; `closed`: it or its
    institution. `keys`: those that it was given over the line, None when it uses its institution's first key.
    """

    number: str
    id: int
    institution_id: int
    institution: str
    organisation: str
    mac_key: str
    testing: bool = False
    locked: bool = False
    closed: bool = False
    line: InstitutionLine | None = None
    keys: TerminalKeys | None = None


class Registry:
    """Terminals by number."""

    def __init__(self, dsn: str, overlap: float = 0.0) -> None:
        self._dsn = dsn
        self._overlap = overlap
        self._certificates: Mapping[str, tuple[int, float]] = {}
        self._terminals: dict[str, RegisteredTerminal] = {}
        self._looked = self._took = 0.0
        self._looks = self._newest = 0
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read everything once, then keep it fresh in the background."""
        connection = await self._connect()
        await self._load(connection)
        self._task = asyncio.create_task(self._follow(connection))

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def find(self, number: str) -> RegisteredTerminal | None:
        """The terminal of this number; an unknown one triggers a new look at the tables."""
        found = self._terminals.get(number)
        if found is None and time.monotonic() - self._looked > max(1.0, SPARED * self._took):
            self._looked = time.monotonic()
            self._changed.set()
        return found

    def holder(self, fingerprint: str) -> int | None:
        """The institution whose certificate this is (SHA-256 of the DER form, hex), None when it is nobody's now."""
        institution, until = self._certificates.get(fingerprint, (None, 0.0))
        return institution if time.time() < until else None

    async def refresh(self) -> None:
        """Look again now: this process gave a key out itself and its terminal uses it at once."""
        connection = await self._connect()
        try:
            await self._load(connection)
        finally:
            connection.terminate()

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._dsn, timeout=LOADING, command_timeout=LOADING, server_settings={"application_name": "switch registry"}
        )

    async def _load(self, connection: asyncpg.Connection) -> None:
        self._looks += 1
        look, began = self._looks, time.monotonic()
        keys = await LineKeys.load(connection, self._overlap)
        rows = await connection.fetch(_QUERY)
        if look < self._newest:
            return  # one that began later is there already: this one may not know the key that was just given out
        self._newest, self._took = look, time.monotonic() - began
        self._terminals = {
            row[0]: RegisteredTerminal(
                row[0],
                row[1],
                row[2],
                row[3].ljust(15),
                row[4],
                row[5],
                row[6],
                row[7],
                row[8],
                keys.institutions.get(row[2]),
                keys.of(row[1], row[2], row[5]),
            )
            for row in rows
        }
        self._certificates = keys.certificates

    async def _follow(self, connection: asyncpg.Connection | None) -> None:
        while True:
            try:
                if connection is None:
                    connection = await self._connect()
                await connection.add_listener(CHANNEL, lambda *_: self._changed.set())
                connection.add_termination_listener(lambda *_: self._changed.set())
                while not connection.is_closed():
                    await self._load(connection)
                    await self._wait(connection)
                    self._changed.clear()
            except Exception as error:  # whatever a dying server makes of a statement: who looks must not end
                log.warning("registry: %r", error)
            finally:
                if connection is not None:
                    connection.terminate()
                connection = None
            await asyncio.sleep(1.0)

    async def _wait(self, connection: asyncpg.Connection) -> None:
        """Until something changed. Raises TimeoutError when the line does not answer, or what it raises itself."""
        while not self._changed.is_set() and not connection.is_closed():
            with suppress(TimeoutError):  # no wait_for: in Python 3.11 it may swallow the order to stop
                async with asyncio.timeout(BEAT):
                    await self._changed.wait()
                return
            asked = asyncio.ensure_future(connection.fetchval("SELECT 1"))
            asked.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, whoever waits no more
            if not (await asyncio.wait({asked}, timeout=PATIENCE))[0]:
                raise TimeoutError("the line does not answer")  # nothing is asked of it again, nor taken back
            asked.result()
