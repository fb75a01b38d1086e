"""Messages about carriers between organisations: each keeps its own row and both see where it is (K5, K6)."""

from __future__ import annotations

from sheka.office.messages.handlers import handles
from sheka.office.messages.models import Inbox
from sheka.office.staff.actors import Actor
from sheka.systems.custody.actions import take_news


def _actor(message: Inbox) -> Actor:
    return Actor.process("custody", message.recipient)


@handles("custody.given")
def given(message: Inbox) -> None:
    take_news.take_given(_actor(message), sender=message.source, told=message.payload)


@handles("custody.certify")
def certify(message: Inbox) -> None:
    take_news.answer_certify(_actor(message), asker=message.source, **message.payload)


@handles("custody.certified")
def certified(message: Inbox) -> None:
    take_news.take_certified(_actor(message), **message.payload)


@handles("custody.completed")
def completed(message: Inbox) -> None:
    take_news.take_completed(_actor(message), sender=message.source, **message.payload)


@handles("custody.disputed")
def disputed(message: Inbox) -> None:
    take_news.take_disputed(_actor(message), **message.payload)


@handles("custody.recalled")
def recalled(message: Inbox) -> None:
    take_news.take_recall(_actor(message), sender=message.source, **message.payload)


@handles("custody.recall_granted")
def recall_granted(message: Inbox) -> None:
    take_news.take_recall_granted(_actor(message), **message.payload)


@handles("custody.moved")
def moved(message: Inbox) -> None:
    take_news.take_moved(_actor(message), recipient=message.source, **message.payload)


@handles("custody.ended")
def ended(message: Inbox) -> None:
    take_news.take_end(_actor(message), teller=message.source, **message.payload)
