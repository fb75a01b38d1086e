"""Delivery on this node: outbox to inbox to handler, once each, in the order of each sender.

A message that its handler refuses stays in the inbox with the refusal and holds back later ones of the same sender to
the same recipient: nothing is lost and nothing overtakes.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.office.messages.handlers import handler_of
from sheka.office.messages.models import Inbox, Outbox
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import organisation
from sheka.office.scope import acting_in, whole_node


def deliver_local(limit: int = 500) -> int:
    """Copy waiting messages for organisations hosted here into the inbox; the number copied.

    A sender's numbers are given under a row lock that is held until commit: their order is the order of commits.
    """
    with transaction.atomic():
        waiting = (
            Outbox.objects.select_for_update(skip_locked=True)
            .filter(delivered_at=None, recipient__in=Organisation.objects.values("code"))
            .order_by("source", "sequence")[:limit]
        )
        count = 0
        for row in waiting:
            receive(row)
            Outbox.objects.filter(source=row.source, sequence=row.sequence).update(delivered_at=timezone.now())
            count += 1
    return count


def receive(message: Outbox | Inbox) -> None:
    """Put a message into the inbox. The same one again is ignored; one whose digest does not fit is refused."""
    named = {
        "kind": message.kind,
        "payload": message.payload,
        "recipient": message.recipient,
        "sequence": message.sequence,
        "source": message.source,
    }
    if digest(named) != message.digest:
        raise Refused(Code.MESSAGE_ALTERED, source=message.source, sequence=message.sequence)
    Inbox.objects.bulk_create(
        [Inbox(**named, digest=message.digest, sent_at=message.sent_at, received_at=timezone.now())],
        ignore_conflicts=True,
    )


def handle_waiting(leave: Callable[[], bool] = lambda: False) -> int:
    """Run the handlers of what arrived, oldest first for each pair of sender and recipient; the number handled.

    `leave` is asked before each: a worker that is to stop leaves the rest to the next one.
    """
    handled = 0
    blocked: set[tuple[str, str]] = set()
    keys = Inbox.objects.filter(handled_at=None).order_by("source", "sequence")
    for source, sequence, recipient in keys.values_list("source", "sequence", "recipient"):
        if leave():
            break
        if (source, recipient) in blocked:
            continue
        if _handle(source, sequence):
            handled += 1
        else:
            blocked.add((source, recipient))
    return handled


def _handle(source: str, sequence: int) -> bool:
    failure = ""
    try:
        with transaction.atomic():
            message = Inbox.objects.select_for_update().get(source=source, sequence=sequence)
            if message.handled_at is not None:
                return True
            handler = handler_of(message.kind)
            if handler is None:
                raise Refused(Code.MESSAGE_UNKNOWN_KIND, kind=message.kind)
            with acting_in(organisation(message.recipient).path):
                handler(message)
            Inbox.objects.filter(source=source, sequence=sequence).update(handled_at=timezone.now(), failure="")
    except Refused as refusal:
        failure = str(refusal)
    if failure:
        Inbox.objects.filter(source=source, sequence=sequence).update(failure=failure)
    return not failure


def carry_all(leave: Callable[[], bool] = lambda: False) -> int:
    """Deliver and handle until nothing moves, or `leave` says so: what the worker does at each turn. The number of
    messages handled.
    """
    total = 0
    with whole_node(
        "messages go from any organisation of the node to any other; each is handled in its recipient's scope"
    ):
        while True:
            moved, handled = deliver_local(), handle_waiting(leave)
            total += handled
            if leave() or (not moved and not handled):
                return total
