"""What test terminals said and were answered, for the onboarding of their institution (S4): written behind the answer.

Kept in memory until the database takes it; a killed switch loses what came since the last write, and the institution
sends it again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg

from sheka.systems.transactions.response_codes import response_code

if TYPE_CHECKING:
    from sheka.systems.transactions.switch.answers import Outcome
    from sheka.systems.transactions.switch.requests import Request

MOST = 10_000
"""Messages kept while the database is away; what comes then is dropped."""
_SEEN = (
    "SELECT switch_trials_seen($1::integer[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[],"
    " $7::text[], $8::bigint[], $9::text[], $10::text[], $11::integer[], $12::bigint[], $13::bigint[])"
)


class Trials:
    """Messages of test terminals that wait to be written, in the order of their answers."""

    def __init__(self) -> None:
        self._rows: list[tuple[object, ...]] = []

    @property
    def waiting(self) -> bool:
        return bool(self._rows)

    def see(self, request: Request, outcome: Outcome) -> None:
        """`stan` and `day` are the original's when field 90 names one."""
        if len(self._rows) >= MOST:
            return
        fields = {number: str(value) for number, value in request.fields.items()}
        original = fields.get(90, "")
        amount = fields.get(4, "0")
        row = (
            request.terminal.id,
            datetime.now(UTC),
            request.type,
            fields.get(3, "")[:6],
            fields.get(70, "")[:3],
            original[4:10] if len(original) >= 10 else fields.get(11, "")[:6],
            fields.get(13, "")[:4],
            int(amount) if amount.isdecimal() else 0,
            fields.get(62, "")[:19],
            response_code(outcome.refusal),
            outcome.refusal,
            outcome.id,
            outcome.balance,
        )
        self._rows.append(row)

    async def write(self, connection: asyncpg.Connection) -> None:
        """Write what was gathered; when the database does not take it, it is kept for the next time."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        try:
            await connection.execute(_SEEN, *map(list, zip(*rows, strict=True)))
        except BaseException:
            self._rows = rows + self._rows
            raise
