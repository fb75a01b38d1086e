"""Take personalised cards into the stock of the outlet of their holders (R2: this makes an exchange ready)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.ledger import guard, lock_cards, move_all, tell
from sheka.systems.cards.models import Card, ExchangeCase
from sheka.systems.cards.queries.exchanges import lock_exchanges_making
from sheka.systems.cards.scope import counter
from sheka.systems.cards.states import EXCHANGE
from sheka.systems.cards.waiting import cards_move, exchange_ready


@action(Permission.CARD_STOCK)
def receive_stock(actor: Actor, *, cards: Sequence[Card], outlet: str | None = None) -> list[Card]:
    """Every card of the list lies at this outlet now, or none is taken in.

    Raises Refused: CARD_NOT_A_COUNTER, CARD_WRONG_OUTLET, STATE_FORBIDS, ORGANISATION_OUT_OF_REACH.
    """
    place = counter(actor, outlet)
    awaited = ExchangeCase.objects.filter(new_card__in=cards).select_related("old_card")
    locked = lock_cards(actor, [*cards, *(case.old_card for case in awaited)])
    found = locked[: len(cards)]
    for card in found:
        guard(card, "receive")
        if card.outlet_id != place.code:
            raise Refused(Code.CARD_WRONG_OUTLET, card=card, expected=card.outlet.name, got=place.name)
    cases = lock_exchanges_making(found)
    cards_move(actor, found)
    for case in cases:
        exchange_ready(actor, case)
    move_all(actor, found, "receive", "received", outlet=place.code)
    for case in cases:
        case.state = EXCHANGE.after(case.state, "make_ready")
        case.ready_at = timezone.now()
        case.save(update_fields=["state", "ready_at"])
        tell(actor, [case.old_card], "exchange_ready", exchange=case.number)
    return found
