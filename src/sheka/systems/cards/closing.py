"""A counter is not closed while cards lie there: new ones that await their holders, old ones that await destruction."""

from __future__ import annotations

from sheka.office.organisations.closing import keeps_open
from sheka.systems.cards.models import Card, ExchangeCase
from sheka.systems.cards.states import IN_PRODUCTION, OPEN_EXCHANGE


@keeps_open("待制或待领的卡", "cards to be made for it or awaiting their holders")
def cards_awaited(code: str) -> int:
    return Card.objects.filter(outlet_id=code, state__in=IN_PRODUCTION).count()


@keeps_open("待销毁的旧卡", "old cards to be destroyed")
def old_cards_held(code: str) -> int:
    return Card.objects.filter(held_at_id=code, state="handed_in").count()


@keeps_open("未了结的换卡", "open exchanges")
def open_exchanges(code: str) -> int:
    return ExchangeCase.objects.filter(outlet_id=code, state__in=OPEN_EXCHANGE).count()
