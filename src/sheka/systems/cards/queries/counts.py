"""Counts and work lists for the overview and the exchange desk."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.models import ExchangeCase
from sheka.systems.cards.queries.cards import served_cards
from sheka.systems.cards.scope import served_path
from sheka.systems.cards.states import CARD


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many cards are in one state."""

    state: str
    count: int


def count_by_state(actor: Actor) -> list[StateCount]:
    """Cards that the actor serves, by state in the order of the card's life; states without cards are left out."""
    actor.require(Permission.CARD_VIEW)
    counted = dict(served_cards(actor).order_by().values_list("state").annotate(count=Count("pk")))
    return [StateCount(state, counted[state]) for state in CARD.states if state in counted]


def exchanges_served(actor: Actor) -> QuerySet[ExchangeCase]:
    """Exchanges of the actor's city, latest first, with what a list shows of them."""
    actor.require(Permission.CARD_VIEW)
    rows = ExchangeCase.objects.select_related("person", "old_card", "new_card", "outlet")
    return rows.filter(old_card__organisation__path__within=served_path(actor)).order_by("-applied_at")
