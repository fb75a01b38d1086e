"""The life line of a card: what happened, what is next (console.md §4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.utils.functional import Promise

from sheka.systems.cards.labels import DUE, DUE_PROVISIONAL, EVENTS, EXCHANGE_NEXT, NEXT
from sheka.systems.cards.ledger import open_exchange_of
from sheka.systems.cards.models import Card, CardEvent, ExchangeCase

Kind = Literal["done", "bad", "now", "next"]


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """One point of the line, in the reader's language. `at` is None for what is still to come."""

    at: datetime | None
    title: str
    detail: str
    kind: Kind
    who: str


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "-"


def life_line(card: Card) -> list[LifeEvent]:
    """What happened, oldest first, then what is next: the first of it "now", the rest "next"."""
    return [*map(_told, card.events.order_by("at", "pk")), *_to_come(card)]


def exchange_line(case: ExchangeCase) -> list[LifeEvent]:
    """What happened to both cards while the exchange ran, oldest first, then what is next."""
    events = CardEvent.objects.filter(card__in=(case.old_card_id, case.new_card_id), at__gte=case.applied_at)
    if case.closed_at is not None:
        events = events.filter(at__lte=case.closed_at)
    told = [_told(event) for event in events.order_by("at", "pk")]
    return [*told, *_upcoming(EXCHANGE_NEXT.get(case.state, ()), _due(case))]


def _told(event: CardEvent) -> LifeEvent:
    kind, title, detail = EVENTS[event.event]
    return LifeEvent(event.at, str(title), str(detail) % _Facts(event.facts), kind, event.by)  # type: ignore[arg-type]


def _to_come(card: Card) -> Iterable[LifeEvent]:
    case = open_exchange_of(card)
    if case is not None and case.old_card_id == card.pk:
        titles, detail = EXCHANGE_NEXT[case.state], _due(case)
    elif card.state == "cancelled" and card.chip_serial is None:
        return
    else:
        titles, detail = NEXT[card.state], _due(case) if case is not None else ""
    yield from _upcoming(titles, detail)


def _upcoming(titles: Sequence[str | Promise], detail: str) -> Iterable[LifeEvent]:
    for place, title in enumerate(titles):
        yield LifeEvent(None, str(title), detail if place == 0 else "", "now" if place == 0 else "next", "")


def _due(case: ExchangeCase) -> str:
    sentence = DUE_PROVISIONAL if case.due_provisional else DUE
    return str(sentence) % {"day": case.due_on.isoformat()}
