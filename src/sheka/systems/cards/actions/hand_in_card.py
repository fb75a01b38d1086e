"""Take an old card in: at the collection of the new one (R3), or later when one that was not returned turns up."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.ledger import guard, lock_card, move
from sheka.systems.cards.models import Card
from sheka.systems.cards.scope import counter
from sheka.systems.cards.waiting import old_card_lies_at


@action(Permission.OLD_CARD_RETURN)
def hand_in_card(actor: Actor, *, card: Card) -> Card:
    """The old card lies at the actor's counter now.

    Raises Refused: CARD_NOT_A_COUNTER, CARD_NEVER_MADE, STATE_FORBIDS.
    """
    place = counter(actor)
    found = lock_card(actor, card)
    old_card_lies_at(actor, place)
    return take_in(actor, found, place)


def take_in(actor: Actor, card: Card, place: Organisation) -> Card:
    """The same in the running transaction, the card locked."""
    guard(card, "hand_in")
    if card.chip_serial is None:
        raise Refused(Code.CARD_NEVER_MADE, card=card)
    card.held_at, card.not_returned_at = place, None
    return move(actor, card, "hand_in", "handed_in", "held_at", "not_returned_at", outlet=place.code)
