"""Messages about sub-keys between the levels."""

from __future__ import annotations

from sheka.office.messages.handlers import handles
from sheka.office.messages.models import Inbox
from sheka.office.staff.actors import Actor
from sheka.systems.keys.actions.take_delivery import acknowledge_delivery, receive_delivery


@handles("keys.subkeys.sent")
def subkeys_sent(message: Inbox) -> None:
    receive_delivery(
        Actor.process("keys", message.recipient), sender=message.source, subkeys=message.payload["subkeys"]
    )


@handles("keys.subkeys.imported")
def subkeys_imported(message: Inbox) -> None:
    acknowledge_delivery(
        Actor.process("keys", message.recipient),
        recipient=message.source,
        check_values=message.payload["check_values"],
    )
