"""No start on a database that does not keep organisations apart and its records unchanged (design §2.4, §2.6).

Which tables are scoped is read from the models, so that a new one cannot be forgotten: every table that leads to an
organisation by foreign keys or names one, and those listed here. Asked once, by the web process and the worker.
"""

from __future__ import annotations

import sys

from django.apps import apps
from django.db import connection, models

from sheka.foundation.protection import judge, question
from sheka.foundation.refusals import Refused

BY_OTHER_COLUMNS = ("office_messages_outbox", "office_messages_inbox")
"""Scoped by the code of a sender or a recipient."""
PUBLISHED = ("organisations_organisation_read", "keys_machine_published")
"""Policies that show all rows to every organisation: the directory of organisations, and public keys."""
KEPT = (
    "audit_event_append_only",
    "cards_cardevent_append_only",
    "cards_datachange_append_only",
    "cards_documentcheck_append_only",
    "cards_destructionwitness_append_only",
    "cards_destructionbatch_closed",
    "accounts_entry_append_only",
    "accounts_transfer_append_only",
    "accounts_pending_append_only",
    "accounts_pending_end_append_only",
    "accounts_correction_append_only",
    "accounts_payout_append_only",
    "accounts_succession_append_only",
    "transactions_transaction_append_only",
    "transactions_seal_append_only",
    "transactions_message_append_only",
    "transactions_link_append_only",
    "transactions_abnormal_append_only",
    "transactions_batch_append_only",
    "transactions_batch_line_append_only",
    "exceptions_event_append_only",
    "exceptions_finding_append_only",
    "exceptions_ruleuse_append_only",
    "exceptions_case_keep",
    "exceptions_case_fixed",
    "incidents_entry_append_only",
    "incidents_plan_fixed",
    "incidents_drill_append_only",
)
"""Triggers that keep records unchanged, also by the owner of the tables."""
OWN_COLUMNS = frozenset({"organisation_id", "held_by_id"})


def scoped_tables() -> list[str]:
    """The tables whose rows belong to organisations, by their names."""
    every = [one for one in apps.get_models(include_auto_created=True) if not one._meta.proxy]
    found: set[type[models.Model]] = {one for one in every if one._meta.label == "organisations.Organisation"}
    while True:
        more = {one for one in every if one not in found and _belongs(one, found)}
        if not more:
            return sorted({one._meta.db_table for one in found} | set(BY_OTHER_COLUMNS))
        found |= more


def require_protection() -> None:
    """Raises Refused: DATABASE_ROLE_TOO_STRONG, DATABASE_TABLE_OPEN, DATABASE_TRIGGER_MISSING."""
    with connection.cursor() as cursor:
        cursor.execute(question(scoped_tables(), KEPT, PUBLISHED))
        judge(cursor.fetchone())


def start_protected() -> None:
    """End the process with one sentence in both languages where `require_protection` refuses."""
    try:
        require_protection()
    except Refused as refusal:
        sys.stderr.write(f"{refusal.text('zh-Hans')}{refusal.todo('zh-Hans')}\n{refusal} {refusal.todo('en')}\n")
        sys.exit(1)


def _belongs(model: type[models.Model], scoped: set[type[models.Model]]) -> bool:
    fields = model._meta.concrete_fields
    return any(field.attname in OWN_COLUMNS or field.related_model in scoped for field in fields)
