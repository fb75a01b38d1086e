"""What the switch sees of PSAMs: uses by terminal and day, and two things that must not happen (K8).

A counter that does not go on, or a PSAM that speaks from a terminal that is not its own, is an alarm. Everything is
counted in memory and written once a second; a killed switch loses at most the last second of it, and no money.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import asyncpg

from sheka.foundation.refusals import Code

if TYPE_CHECKING:
    from sheka.systems.transactions.switch.requests import Request

NO_COUNTER = -1
_SEEN = "SELECT switch_psam_seen($1::text[], $2::integer[], $3::date[], $4::integer[], $5::bigint[], $6::bigint[], $7)"
_ALARMS = (
    "SELECT switch_psam_alarms($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::date[],"
    " $7::integer[], $8)"
)
Place = tuple[str, int, date]


class Sightings:
    """Counters by PSAM: the greatest one seen and the trace number that brought it."""

    def __init__(self) -> None:
        self._counters: dict[str, tuple[int, int]] = {}
        self._uses: dict[Place, tuple[int, int, int, datetime]] = {}
        self._alarms: dict[tuple[Place, str], tuple[str, str, int, datetime]] = {}

    def learn(self, counters: Mapping[str, int]) -> None:
        """Counters that are written down, by this switch or another."""
        for psam, counter in counters.items():
            if counter > self._counters.get(psam, (NO_COUNTER, 0))[0]:
                self._counters[psam] = counter, 0

    def see(self, request: Request, refusal: int, own: str) -> None:
        """A purchase that names a PSAM and was not seen before; `own` is the PSAM bound to its terminal."""
        now = datetime.now(UTC)
        place = request.psam, request.terminal.id, request.date
        if refusal == Code.PSAM_OF_ANOTHER_TERMINAL.value:
            self._alarm(place, "terminal", own, request.psam, now)
            return
        counter = request.counter
        if counter != NO_COUNTER:
            last, stan = self._counters.get(request.psam, (NO_COUNTER, 0))
            if counter == last and stan == request.stan:
                return  # sent again
            if counter <= last:
                self._alarm(place, "counter", str(last + 1), str(counter), now)
            else:
                self._counters[request.psam] = counter, request.stan
        uses, first, last, _ = self._uses.get(place, (0, counter, counter, now))
        self._uses[place] = uses + 1, min(first, counter), max(last, counter), now

    async def write(self, connection: asyncpg.Connection) -> None:
        """Write what was gathered; when the database does not take it, it is kept for the next time."""
        uses, alarms = self._uses, self._alarms
        self._uses, self._alarms = {}, {}
        try:
            async with connection.transaction():
                if uses:
                    rows = [(*place, *seen) for place, seen in uses.items()]
                    await connection.execute(_SEEN, *map(list, zip(*rows, strict=True)))
                if alarms:
                    found = [
                        (psam, terminal, kind, expected, got, day, times, at)
                        for ((psam, terminal, day), kind), (expected, got, times, at) in alarms.items()
                    ]
                    await connection.execute(_ALARMS, *map(list, zip(*found, strict=True)))
        except BaseException:
            self._keep(uses, alarms)
            raise

    @property
    def waiting(self) -> bool:
        return bool(self._uses or self._alarms)

    def _alarm(self, place: Place, kind: str, expected: str, got: str, now: datetime) -> None:
        expected, got, times, _ = self._alarms.get((place, kind), (expected, got, 0, now))
        self._alarms[place, kind] = expected, got, times + 1, now

    def _keep(
        self,
        uses: dict[Place, tuple[int, int, int, datetime]],
        alarms: dict[tuple[Place, str], tuple[str, str, int, datetime]],
    ) -> None:
        for place, (count, first, last, at) in uses.items():
            more, other_first, other_last, later = self._uses.get(place, (0, first, last, at))
            self._uses[place] = count + more, min(first, other_first), max(last, other_last), later
        for key, (expected, got, times, at) in alarms.items():
            again = self._alarms.get(key)
            self._alarms[key] = expected, got, times + (again[2] if again else 0), again[3] if again else at
