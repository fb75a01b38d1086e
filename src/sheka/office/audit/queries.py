"""Reading the audit: what was done in the actor's organisation and below it, and where a row stands in the chain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.heads import Head, folder_of_heads, last_head, read_heads
from sheka.office.audit.models import Event
from sheka.office.audit.trail import body_of
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

DAYS_SEARCHED = 8


def events_of(actor: Actor) -> QuerySet[Event]:
    """The rows that this auditor reads. Raises Refused(PERMISSION_MISSING)."""
    actor.require(Permission.AUDIT_READ)
    return Event.objects.filter(organisation_id__in=places_of(actor).values("code"))


def places_of(actor: Actor) -> QuerySet[Organisation]:
    """The organisations whose audit this actor reads."""
    return Organisation.objects.filter(path__within=actor.path)


def event_of(actor: Actor, sequence: int) -> Event:
    """Raises Refused(AUDIT_ROW_UNKNOWN), also for a row of another organisation."""
    found = events_of(actor).filter(sequence=sequence).first()
    if found is None:
        raise Refused(Code.AUDIT_ROW_UNKNOWN, sequence=sequence)
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: whether its hash is that of its words, and the exported head that covers it."""

    intact: bool
    head: Head | None


def place_of(event: Event) -> Place:
    """Recompute the row's hash; look for the first head at or after it, in the files of its day and the week after."""
    previous = bytes(event.previous)
    row = (event.sequence, event.at, event.staff_id, event.actor, event.organisation_id, event.event, event.subject)
    return Place(sm3(previous + body_of((*row, event.facts))) == bytes(event.hash), _head_over(event))


def facts_of(event: Event) -> list[tuple[str, Any]]:
    """The facts of a row in the order of their names."""
    return sorted(json.loads(event.facts).items())


def anchored_head() -> Head | None:
    """The newest exported head of this node."""
    return last_head(folder_of_heads())


def _head_over(event: Event) -> Head | None:
    first = timezone.localtime(event.at).date()
    for number in range(DAYS_SEARCHED):
        path = folder_of_heads() / f"heads-{(first + timedelta(days=number)).isoformat()}.jsonl"
        if path.exists():
            found = next((head for head in read_heads(path) if head.sequence >= event.sequence), None)
            if found is not None:
                return found
    return None
