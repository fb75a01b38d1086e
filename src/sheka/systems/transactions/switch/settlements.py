"""Batches of terminals at the database (S4, S8): uploaded lines (0320) and settlements (0500), one after another."""

from __future__ import annotations

import asyncpg

from sheka.foundation.refusals import Code
from sheka.systems.transactions.switch.answers import Outcome, batch_fields
from sheka.systems.transactions.switch.requests import Request, Verb

_SETTLE = (
    "SELECT * FROM switch_compare_batch($1::integer, $2::integer, $3::date, $4::integer, $5::date, $6::boolean,"
    " $7::bigint[])"
)
_UPLOAD = (
    "SELECT * FROM switch_upload_line($1::integer, $2::integer, $3::date, $4::integer, $5::date, $6::date, $7::integer,"
    " $8::boolean, $9::bigint, $10::text)"
)
_ANSWERED = "SELECT switch_batch_known($1::integer, $2::date, $3::integer, $4::boolean)"
#: The connection stays inside an open transaction without snapshot, which saves a round trip for BEGIN.
COMMIT = "COMMIT AND CHAIN"
AFTER_UPLOAD = "96"
"""Field 3 of a settlement whose lines were uploaded."""


async def compare(connection: asyncpg.Connection, group: list[Request]) -> list[tuple[Request, Outcome]]:
    """Batches of terminals: their lines first, then their totals. Who is barred, or has no date of now, has the
    answer that was given before or the refusal, and leaves nothing behind.
    """
    found = []
    for one in sorted(group, key=lambda one: one.verb):
        bar = Code.BUSINESS_DATE_OUT_OF_RANGE.value if one.misdated else one.barred
        if bar:
            upload = one.verb is Verb.UPLOAD
            if not await connection.fetchval(_ANSWERED, one.terminal.id, one.date, one.stan, upload):
                await connection.execute(COMMIT)
                found.append((one, Outcome(bar)))
                continue
        key = (one.terminal.institution_id, one.terminal.id, one.date, one.stan, one.settled)
        if one.verb is Verb.UPLOAD:
            reversal = one.original_kind == Verb.REVERSAL
            line = (one.original_date, one.original_stan, reversal, one.amount, one.card)
            row = await connection.fetchrow(_UPLOAD, *key, *line)
            outcome = Outcome(row["refused"], settlement=one.settled, differs=row["differs"])
        else:
            after = str(one.fields[3]).startswith(AFTER_UPLOAD)
            row = await connection.fetchrow(_SETTLE, *key, after, one.theirs)
            more = None if row["ours"] is None else batch_fields(row["refused"], row["ours"])
            outcome = Outcome(row["refused"], settlement=one.settled, differs=row["differs"], more=more)
        await connection.execute(COMMIT)
        found.append((one, outcome))
    return found
