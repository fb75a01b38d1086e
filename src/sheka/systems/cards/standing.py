"""Why a card may not be used, told by every system that can know (C1): its state here, block lists above.

A system above says so in its module `card_standing`, which is found when the node starts:

    @tells_standing
    def on_the_list(card: Card) -> Term | None: ...
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import override

from sheka.foundation.terms import Term
from sheka.systems.cards.labels import STATES
from sheka.systems.cards.models import Card

Teller = Callable[[Card], Term | None]

_tellers: list[Teller] = []


def tells_standing(teller: Teller) -> Teller:
    """Register what may stand against a card."""
    _tellers.append(teller)
    return teller


def standing_of(card: Card) -> Term | None:
    """The first thing that stands against a card's use; None when it may be used."""
    if card.state != "active":
        return _state(card.state)
    return next((found for teller in _tellers if (found := teller(card)) is not None), None)


def _state(state: str) -> Term:
    with override("zh-hans"):
        zh = str(STATES[state])
    with override("en"):
        return Term(f"状态：{zh}", f"state: {STATES[state]}")
