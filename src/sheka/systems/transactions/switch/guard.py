"""The switch's knowledge of what is barred, never older than `known_for` seconds (S4, K8).

A change announces itself (NOTIFY), and once a second the number of changes is asked over the same connection, so that a
line that died in silence or a lost announcement is noticed too. A switch that cannot know refuses: 91, 4458.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace

import asyncpg

from sheka.foundation.refusals import Code
from sheka.systems.transactions.switch.answers import Outcome
from sheka.systems.transactions.switch.barred import Barred
from sheka.systems.transactions.switch.requests import Request
from sheka.systems.transactions.switch.settings import SwitchSettings
from sheka.systems.transactions.switch.sightings import Sightings
from sheka.systems.transactions.switch.trials import Trials

log = logging.getLogger("sheka.switch")
CHANNEL = "transactions_change"
BEAT = 1.0
PATIENCE = 2.0
"""Seconds that a look at the database may take."""


_MACHINES = "SELECT * FROM switch_machines($1::text[], $2)"


class Guard:
    """`judge` says which requests are barred; it is asked for every batch, at every try."""

    def __init__(self, settings: SwitchSettings) -> None:
        self._settings = settings
        self._required = settings.psam_required
        self._organisations = list(settings.machines)
        self._barred = Barred.of((), {}, self._required)
        self._changes = -1
        self._known = 0.0
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._sightings = Sightings()
        self._trials = Trials()

    async def start(self) -> None:
        """Read everything once, then keep it fresh in the background. Raises what the database says."""
        connection = await self._connect()
        await self._look(connection)
        self._task = asyncio.create_task(self._follow(connection))

    async def stop(self) -> None:
        """Write what was seen last, and end."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._sightings.waiting or self._trials.waiting:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                connection = await self._connect()
                await self._sightings.write(connection)
                await self._trials.write(connection)
                await connection.close(timeout=PATIENCE)

    @property
    def knows(self) -> bool:
        return time.monotonic() - self._known < self._settings.known_for

    def judge(self, group: list[Request]) -> list[int]:
        """A refusal number for each request, 0 for those that nothing bars."""
        if not self.knows:
            return [Code.BLOCK_LIST_NOT_KNOWN.value] * len(group)
        return [one.barred or self._barred.refusal(one) for one in group]

    def has_blocked(self, terminal: str) -> bool:
        """Whether a terminal is on the block list, as far as is known: what it is told before anything is proved."""
        return terminal in self._barred.terminals

    def is_idle(self, organisation: str) -> bool:
        """Whether an organisation's machine may do no production work (K4), as far as is known."""
        return organisation in self._barred.machines

    def see(self, group: list[Request]) -> None:
        """Purchases whose MAC was right: what they say of their PSAMs is counted."""
        for one in group:
            if one.psam:
                own = self._barred.bound.get(one.terminal.id, ("", False))[0]
                self._sightings.see(one, self._barred.refusal(one), own)

    def witness(self, request: Request, outcome: Outcome) -> None:
        """What a test terminal said and is answered: written at once, behind the answer."""
        self._trials.see(request, outcome)
        self._stirred.set()

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._settings.dsn,
            timeout=PATIENCE,
            command_timeout=PATIENCE,
            server_settings={"application_name": "switch guard"},
        )

    async def _look(self, connection: asyncpg.Connection) -> None:
        """Be sure of what is barred as of now; read it anew when it changed."""
        asked = time.monotonic()
        if await connection.fetchval("SELECT switch_changes()") != self._changes:
            row = await connection.fetchrow("SELECT * FROM switch_barred()")
            blocks = zip(row["kinds"] or (), row["subjects"] or (), strict=True)
            held = zip(row["terminals"] or (), row["psams"] or (), row["active"] or (), strict=True)
            bound = {terminal: (psam, active) for terminal, psam, active in held}
            counters = await connection.fetchrow("SELECT * FROM switch_psam_counters()")
            self._sightings.learn(dict(zip(counters["psams"] or (), counters["counters"] or (), strict=True)))
            cards = frozenset(await connection.fetchval("SELECT switch_test_cards()"))
            self._barred = replace(Barred.of(blocks, bound, self._required), test_cards=cards)
            self._changes = row["changes"]
        idle, suspended = await connection.fetchrow(_MACHINES, self._organisations, self._settings.demo)
        self._barred = replace(self._barred, machines=frozenset(idle), suspended=frozenset(suspended))
        self._known = asked

    async def _follow(self, connection: asyncpg.Connection | None) -> None:
        while True:
            try:
                if connection is None:
                    connection = await self._connect()
                await connection.add_listener(CHANNEL, lambda *_: self._stirred.set())
                connection.add_termination_listener(lambda *_: self._stirred.set())
                while not connection.is_closed():
                    await self._look(connection)
                    if self._sightings.waiting:
                        await self._sightings.write(connection)
                    if self._trials.waiting:
                        await self._trials.write(connection)
                    with suppress(TimeoutError):  # no wait_for: in Python 3.11 it may swallow the order to stop
                        async with asyncio.timeout(BEAT):
                            await self._stirred.wait()
                    self._stirred.clear()
            except Exception as error:  # whatever a dying server makes of a statement: who looks must not end
                log.warning("block list: %r", error)
            finally:
                if connection is not None:
                    connection.terminate()
                connection = None
            await asyncio.sleep(0.2)
