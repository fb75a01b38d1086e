"""Cancel a card: one that shall not be made or given out, or a lost or blocked one for good."""

from __future__ import annotations

from sheka.office.actions import action
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.ledger import guard, lock_card, move, must_give_reason, must_not_be_exchanged
from sheka.systems.cards.models import Card
from sheka.systems.cards.waiting import cards_move


@action(Permission.CARD_CANCEL)
def cancel_card(actor: Actor, *, card: Card, reason: str) -> Card:
    """Final. A card that exists as a chip is then handed in and destroyed like every old card.

    Raises Refused: CARD_REASON, STATE_FORBIDS, CARD_EXCHANGE_OPEN.
    """
    found = lock_card(actor, card)
    guard(found, "cancel")
    must_not_be_exchanged(found, "cancel")
    why = must_give_reason("cancel", reason)
    cards_move(actor, [found])
    return move(actor, found, "cancel", "cancelled", reason=why)
