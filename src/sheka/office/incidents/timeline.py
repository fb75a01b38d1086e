"""The timeline of an incident, and the account of it that goes to those above (K9, design §4).

One message carries the whole incident as its origin holds it. It is taken when its serial is newer than the receiver's,
so it may come twice, late or in another order than it was sent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from sheka.office.incidents.desk import person_in
from sheka.office.incidents.models import Entry, Incident
from sheka.office.messages.models import Source
from sheka.office.messages.outbox import send
from sheka.office.staff.actors import Actor

STANDS = "incidents.stands"
"""The kind of the message down the line of copies: this is how the incident stands."""
WORD = "incidents.word"
"""The kind of the message to the origin: it arrived, it was read, more is asked for, a comment."""
UNREAD = "incidents.unread"
"""The kind of the message to the next level above: the one below it has not read."""
WHOLE = (
    "origin", "serial", "kind", "severity", "state", "about", "reported_by", "reported_from", "handled_by", "plan",
    "plan_version", "cause", "measures", "doubt", "ended_by",
)  # fmt: skip
TIMES = ("noticed_at", "reported_at", "due_at", "ended_at")
PARTS = {
    "affected": "subject",
    "follow_ups": "name",
    "deadlines": "name",
    "receipts": "place",
    "entries": "key",
}
"""Each list of rows, and the field by which its rows are known (follow-ups by name and subject)."""


def write(
    actor: Actor,
    incident: Incident,
    verb: str,
    text: str = "",
    *,
    key: UUID | None = None,
    answers: UUID | None = None,
    at: datetime | None = None,
) -> Entry:
    """A line of the timeline, by who acts."""
    return Entry.objects.create(
        incident=incident,
        key=key or uuid4(),
        verb=verb,
        place=actor.organisation,
        name=actor.name,
        person=person_in(incident, actor),
        state=incident.state,
        text=text,
        answers=answers,
        at=at or timezone.now(),
    )


def tell(incident: Incident) -> None:
    """Count the change, save it, and send the whole account to everybody above. Only at the origin."""
    due = incident.deadlines.filter(met_at__isnull=True).order_by("due_at").first()
    incident.due_at = due.due_at if due and incident.runs else None
    incident.serial += 1
    incident.save()
    for place in incident.receipts.values_list("place", flat=True):
        send(incident.organisation_id, place, STANDS, account_of(incident))


def hold_numbers(incident: Incident) -> None:
    """Take the lock under which this organisation's messages are numbered, before other systems are asked anything:
    they write audit rows, and whoever holds the audit chain waits for nobody.
    """
    Source.objects.select_for_update().filter(pk=incident.organisation_id).first()


def say(actor: Actor, incident: Incident, entry: Entry) -> None:
    """Send an own line to the origin, from an organisation above it."""
    send(actor.organisation, incident.origin, WORD, {"number": incident.number, "entry": entry.plain()})


def account_of(incident: Incident) -> dict[str, Any]:
    """The whole incident as plain JSON, times with their zone."""
    return {
        "number": incident.number,
        **{name: getattr(incident, name) for name in WHOLE},
        **{name: _text(getattr(incident, name)) for name in TIMES},
        **{name: [row.plain() for row in getattr(incident, name).all()] for name in PARTS},
    }


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
