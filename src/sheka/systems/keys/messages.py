"""Messages about sub-keys between the levels: what is on a carrier, what came of it. Never a key, never an envelope."""

from __future__ import annotations

from sheka.office.messages.handlers import handles
from sheka.office.messages.models import Inbox
from sheka.office.staff.actors import Actor
from sheka.systems.keys.actions.follow_consignments import (
    acknowledge_import,
    note_network_message,
    note_retirement,
    receive_announcement,
    take_loss,
)


@handles("keys.consignment.loaded")
def loaded(message: Inbox) -> None:
    receive_announcement(_hand(message), sender=message.source, told=message.payload)


@handles("keys.consignment.imported")
def imported(message: Inbox) -> None:
    acknowledge_import(_hand(message), recipient=message.source, **message.payload)


@handles("keys.consignment.lost")
def lost(message: Inbox) -> None:
    take_loss(_hand(message), **message.payload)


@handles("keys.retired")
def retired(message: Inbox) -> None:
    note_retirement(_hand(message), recipient=message.source, **message.payload)


@handles("keys.subkeys.sent")
@handles("keys.subkeys.imported")
def over_the_network(message: Inbox) -> None:
    note_network_message(_hand(message), sender=message.source, kind=message.kind)


def _hand(message: Inbox) -> Actor:
    return Actor.process("keys", message.recipient)
