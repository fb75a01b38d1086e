"""Word of PSAMs from below (K8)."""

from __future__ import annotations

from sheka.office.messages.handlers import handles
from sheka.office.messages.models import Inbox
from sheka.office.staff.actors import Actor
from sheka.systems.psams.actions.take_news import take_word
from sheka.systems.psams.ledger import MOVED


@handles(MOVED)
def moved(message: Inbox) -> None:
    take_word(Actor.process("psams", message.recipient), sender=message.source, **message.payload)
