"""Block a card, and unblock it: for a supervisor, with a reason."""

from __future__ import annotations

from sheka.office.actions import action
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.ledger import guard, lock_card, move, must_give_reason
from sheka.systems.cards.models import Card


@action(Permission.CARD_BLOCK)
def block_card(actor: Actor, *, card: Card, reason: str) -> Card:
    """Nothing can be done with the card until it is unblocked. Raises Refused: CARD_REASON, STATE_FORBIDS."""
    found = lock_card(actor, card)
    guard(found, "block")
    return move(actor, found, "block", "blocked", reason=must_give_reason("block", reason))


@action(Permission.CARD_BLOCK)
def unblock_card(actor: Actor, *, card: Card, reason: str) -> Card:
    """The card is again what it was. Raises Refused: CARD_REASON, STATE_FORBIDS."""
    found = lock_card(actor, card)
    verb = "unblock" if found.was_activated else "unblock_unused"
    guard(found, verb)
    return move(actor, found, verb, "unblocked", reason=must_give_reason("unblock", reason))
