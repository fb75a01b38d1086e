"""Show the messages of a transaction with whole numbers: an audited click with a purpose (design §2.10)."""

from __future__ import annotations

from datetime import date

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.queries_of_messages import Message, decoded, rows_of, subject_of


@action(Permission.MESSAGE_REVEAL)
def reveal_messages(actor: Actor, *, terminal: str, business_date: date, stan: int, purpose: str) -> list[Message]:
    """As `messages_of`, with the numbers of cards and accounts. Raises Refused(CARD_PURPOSE)."""
    if len(purpose.strip()) < 2:
        raise Refused(Code.CARD_PURPOSE)
    read_recorded(actor, "message.revealed", subject_of(terminal, business_date, stan), purpose)
    return decoded(rows_of(terminal, business_date, stan), whole=True)
