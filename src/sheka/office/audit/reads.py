"""Reads, searches and reveals of personal data are recorded, each with its purpose (PIPL art. 6 and 51)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from sheka.office.audit.models import Event
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor

READ_WORDS = ("viewed", "read", "searched", "looked_up", "revealed", "exported", "downloaded")
"""The last word of an event that is a read; the explorer filters by it."""
READ_PATTERN = r"\.(" + "|".join(READ_WORDS) + ")$"
PURPOSE = '"purpose":'
"""What the facts of every read hold: a key that was exported or an incident that was signed as read says none."""
SERVICE = "service"
"""The purpose of whoever serves a person at the counter or decides about a case: no other was said."""
PURPOSE_LENGTH = 200


def reads_among(rows: QuerySet[Event]) -> QuerySet[Event]:
    """The reads of personal data among rows of the audit."""
    return rows.filter(event__regex=READ_PATTERN, facts__contains=PURPOSE)


def read_recorded(actor: Actor, what: str, subject: str, purpose: str = SERVICE, **facts: object) -> int:
    """Record that `actor` reads `subject` ("card:D2143569X", never a person's number) before it is shown.

    `what` ends in a word of READ_WORDS ("card.viewed"); `purpose` is what the reader gave, or SERVICE. Returns the
    number of the audit row. Whoever reads outside of a transaction has it committed on return.
    """
    if what.rsplit(".", 1)[-1] not in READ_WORDS:
        raise ValueError(f"{what} does not end in one of {', '.join(READ_WORDS)}")
    if not purpose.strip():
        raise ValueError("a read needs its purpose")
    with transaction.atomic():
        return record(actor, what, subject, purpose=purpose.strip()[:PURPOSE_LENGTH], **facts)
