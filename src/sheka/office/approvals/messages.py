"""Messages about requests between the organisations that decide them. Each may come twice or late."""

from __future__ import annotations

from uuid import UUID

from sheka.office.approvals.actions.take_news import take_news
from sheka.office.approvals.actions.withdraw import WITHDRAW, withdraw_as_asked
from sheka.office.approvals.turns import STANDS
from sheka.office.messages.handlers import handles
from sheka.office.messages.models import Inbox
from sheka.office.staff.actors import Actor


@handles(STANDS)
def request_stands(message: Inbox) -> None:
    take_news(Actor.process("approvals", message.recipient), source=message.source, told=message.payload)


@handles(WITHDRAW)
def author_withdraws(message: Inbox) -> None:
    row = message.payload
    withdraw_as_asked(Actor.process("approvals", message.recipient), number=UUID(row["number"]), reason=row["reason"])
