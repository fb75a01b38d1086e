"""The switch starts as a role that cannot get past its functions, where nobody took the policies away (S4)."""

from __future__ import annotations

import asyncpg

from sheka.foundation.protection import judge, question

SCOPED = (
    "accounts_account",
    "accounts_entry",
    "cards_card",
    "transactions_block",
    "transactions_cardpin",
    "transactions_certificate",
    "transactions_institution",
    "transactions_lineevent",
    "transactions_lineroot",
    "transactions_message",
    "transactions_offline",
    "transactions_pinzone",
    "transactions_psamalarm",
    "transactions_psamuse",
    "transactions_pulse",
    "transactions_terminal",
    "transactions_terminalfault",
    "transactions_terminalpsam",
    "transactions_testcard",
    "transactions_transaction",
    "transactions_trial",
    "transactions_workingkey",
)
"""What its functions and it read and write."""
PUBLISHED = tuple(
    f"transactions_{table}_sheka_switch"
    for table in ("institution", "terminal", "certificate", "lineroot", "workingkey")
)
"""The registry with its certificates and keys given out, which it reads whole."""
KEPT = (
    "accounts_entry_append_only",
    "transactions_transaction_append_only",
    "transactions_seal_append_only",
    "transactions_message_append_only",
    "transactions_trial_append_only",
    "transactions_workingkey_append_only",
)


async def require_protection(dsn: str) -> None:
    """Raises Refused: DATABASE_ROLE_TOO_STRONG, DATABASE_TABLE_OPEN, DATABASE_TRIGGER_MISSING."""
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(question(SCOPED, KEPT, PUBLISHED))
        judge(tuple(row))
    finally:
        await connection.close()
