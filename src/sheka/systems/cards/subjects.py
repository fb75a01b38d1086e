"""What of the card system documents are kept with: a card, an exchange, a unified destruction."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.documents.subjects import subject
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.queries import card_named, exchange_named
from sheka.systems.cards.queries.destruction import destruction_record

RIGHTS = (Permission.CARD_VIEW,)


@subject("card", Term("社会保障卡", "Card"), page=lambda name: ("console:card", (name,)), rights=RIGHTS)
def card(actor: Actor, name: str) -> None:
    """Whoever serves the card. Raises Refused(CARD_UNKNOWN)."""
    card_named(actor, name)


@subject("exchange", Term("换卡", "Exchange"), page=lambda name: ("console:exchange", (name,)), rights=RIGHTS)
def exchange(actor: Actor, name: str) -> None:
    """Whoever serves its card. Raises Refused(EXCHANGE_UNKNOWN)."""
    exchange_named(actor, name)


@subject("destruction", Term("统一销毁", "Unified destruction"), rights=RIGHTS)
def destruction(actor: Actor, name: str) -> None:
    """Whoever acts for its place. Raises Refused: DESTRUCTION_UNKNOWN, ORGANISATION_OUT_OF_REACH."""
    destruction_record(actor, name)
