"""Messages about issuing applications between city, province and ministry."""

from __future__ import annotations

from uuid import UUID

from sheka.office.messages.handlers import handles
from sheka.office.messages.models import Inbox
from sheka.office.staff.actors import Actor
from sheka.systems.issuance.actions.note_application import note_outcome, receive_application


@handles("issuance.application.submitted")
def application_submitted(message: Inbox) -> None:
    row = message.payload
    receive_application(
        Actor.process("issuance", message.recipient),
        number=UUID(row["number"]),
        payload=row["payload"],
        digest=row["digest"],
    )


@handles("issuance.application.outcome")
def application_outcome(message: Inbox) -> None:
    row = message.payload
    note_outcome(
        Actor.process("issuance", message.recipient),
        number=UUID(row["number"]),
        outcome="approved" if row["outcome"] in {"approved", "filed"} else row["outcome"],
        reason=row["reason"],
        issuer=row.get("issuer"),
    )
