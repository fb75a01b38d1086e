"""Messages between cities about accounts that move (S6); the words are in moving.py."""

from __future__ import annotations

from uuid import UUID

from sheka.office.messages.handlers import handles
from sheka.office.messages.models import Inbox
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.carry_moving import pay_moving, settle_moving, take_moving
from sheka.systems.accounts.moving import LEFT, PAID, TAKEN


@handles(LEFT)
def account_left(message: Inbox) -> None:
    take_moving(_books(message), sender=message.source, told=message.payload)


@handles(TAKEN)
def account_taken(message: Inbox) -> None:
    told = message.payload
    pay_moving(
        _books(message),
        sender=message.source,
        reference=UUID(told["reference"]),
        account=told["account"],
        payee=told["payee"],
    )


@handles(PAID)
def account_paid(message: Inbox) -> None:
    told = message.payload
    settle_moving(_books(message), sender=message.source, reference=UUID(told["reference"]), payout=told["payout"])


def _books(message: Inbox) -> Actor:
    return Actor.process("accounts", message.recipient)
