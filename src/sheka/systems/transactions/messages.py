"""Blocks that come down from a superior (S4, K9)."""

from __future__ import annotations

from sheka.office.messages.handlers import handles
from sheka.office.messages.models import Inbox
from sheka.office.staff.actors import Actor
from sheka.systems.transactions.actions.blocks import LIFTED, PLACED, take_block, take_lift


@handles(PLACED)
def block_placed(message: Inbox) -> None:
    take_block(Actor.process("transactions", message.recipient), sender=message.source, **message.payload)


@handles(LIFTED)
def block_lifted(message: Inbox) -> None:
    take_lift(Actor.process("transactions", message.recipient), sender=message.source, **message.payload)
