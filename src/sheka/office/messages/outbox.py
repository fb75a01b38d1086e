"""Sending: a row in the transaction of the change that it tells."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.office.messages.models import Outbox


def send(sender: str, recipient: str, kind: str, payload: dict[str, Any]) -> Outbox:
    """Write a message from one organisation to another; the worker (or a link to another node) carries it on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO office_messages_source (organisation_id, last) VALUES (%s, 1)"
            " ON CONFLICT (organisation_id) DO UPDATE SET last = office_messages_source.last + 1 RETURNING last",
            [sender],
        )
        sequence = cursor.fetchone()[0]
    return Outbox.objects.create(
        source=sender,
        sequence=sequence,
        recipient=recipient,
        kind=kind,
        payload=payload,
        digest=digest(
            {"kind": kind, "payload": payload, "recipient": recipient, "sequence": sequence, "source": sender}
        ),
        sent_at=timezone.now(),
    )
