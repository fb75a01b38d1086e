"""What the frame shows of the reader's work: queues with their counts, the bell. Counted only when it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import reverse

from sheka.faces.console.work.queues import QUEUES
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.queries import COUNTED, counts, queues_of, unread

register = template.Library()
PRESSING = ("overdue", "returned")


@dataclass(frozen=True, slots=True)
class QueueLink:
    title: str
    address: str
    current: bool
    number: str
    late: bool


@register.simple_tag(takes_context=True)
def queue_links(context: dict[str, Any]) -> list[QueueLink]:
    """The reader's queues with how much is in each; nothing for one who has no queue."""
    actor: Actor = context["actor"]
    if not actor.may(Permission.WORK_USE):
        return []
    counted = counts(actor)
    return [
        QueueLink(
            title=str(QUEUES[name].title),
            address=reverse("console:work_queue", args=[name]),
            current=context.get("queue") == name,
            number=bounded(counted.get(name, 0)),
            late=name in PRESSING and counted[name] > 0,
        )
        for name in queues_of(actor)
    ]


@register.simple_tag(takes_context=True)
def unread_notices(context: dict[str, Any]) -> str | None:
    """How many notices wait, "" for none; None for one who has no notices."""
    actor: Actor = context["actor"]
    return bounded(unread(actor)) if actor.may(Permission.WORK_USE) else None


def bounded(number: int) -> str:
    """A count as the rail shows it: no further than it was counted.

    >>> bounded(0), bounded(12), bounded(1000)
    ('', '12', '999+')
    """
    return "" if not number else str(number) if number <= COUNTED else f"{COUNTED}+"
