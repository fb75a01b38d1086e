"""Messages about incidents between an organisation and those above it (K9). Each may come twice or late."""

from __future__ import annotations

from sheka.office.incidents.actions.take_news import take_account, take_unread, take_word
from sheka.office.incidents.timeline import STANDS, UNREAD, WORD
from sheka.office.messages.handlers import handles
from sheka.office.messages.models import Inbox
from sheka.office.staff.actors import Actor


@handles(STANDS)
def incident_stands(message: Inbox) -> None:
    take_account(_process(message), source=message.source, told=message.payload)


@handles(WORD)
def word_from_above(message: Inbox) -> None:
    take_word(_process(message), source=message.source, **message.payload)


@handles(UNREAD)
def nobody_read(message: Inbox) -> None:
    take_unread(_process(message), source=message.source, **message.payload)


def _process(message: Inbox) -> Actor:
    return Actor.process("incidents", message.recipient)
