"""Moving a card from state to state: lock, guard, change, life line and audit in one place (design §2.1, §2.4).

The order of locks is the same in every action, so that none waits for another in a ring: cards by their keys, exchange,
person, counter of numbers or right to issue, and last the audit chain. Whoever writes an audit row has all rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.utils import timezone

from sheka.foundation.canonical import plain_form
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.systems.cards.models import Card, CardEvent, ExchangeCase, Person
from sheka.systems.cards.states import CARD, OPEN_EXCHANGE

Row = TypeVar("Row", Card, Person)
ITS_ORGANISATION = Term("其所属机构", "The organisation to which it belongs")


def lock_card(actor: Actor, card: Card) -> Card:
    """The card as it is now, its row locked until the end of the action.

    Raises Refused(ORGANISATION_OUT_OF_REACH) when it lies outside of the scope in which the action runs.
    """
    rows = Card.objects.select_for_update(of=("self",)).select_related("organisation", "outlet")
    return in_reach(rows.filter(pk=card.pk).first())


def lock_cards(actor: Actor, cards: Sequence[Card]) -> list[Card]:
    """Many cards in the order given, locked in the order of their keys so that two actions never wait for each other.

    Raises Refused: CARD_BATCH_EMPTY, CARD_TWICE_IN_BATCH, ORGANISATION_OUT_OF_REACH.
    """
    keys = [card.pk for card in cards]
    if not keys:
        raise Refused(Code.CARD_BATCH_EMPTY)
    if len(set(keys)) != len(keys):
        raise Refused(Code.CARD_TWICE_IN_BATCH)
    rows = Card.objects.select_for_update(of=("self",)).select_related("organisation", "outlet", "person")
    found = {card.pk: card for card in rows.filter(pk__in=keys).order_by("pk")}
    return [in_reach(found.get(key)) for key in keys]


def lock_person(person_id: int) -> Person:
    """The person's row, locked: cards and exchanges of one person are made one after another.

    Raises Refused(ORGANISATION_OUT_OF_REACH).
    """
    rows = Person.objects.select_for_update(of=("self",)).select_related("organisation")
    return in_reach(rows.filter(pk=person_id).first())


def in_reach(found: Row | None) -> Row:
    """The row, when the scope shows it. Raises Refused(ORGANISATION_OUT_OF_REACH)."""
    if found is None:
        raise Refused(Code.ORGANISATION_OUT_OF_REACH, organisation=ITS_ORGANISATION)
    return found


def guard(card: Card, verb: str) -> str:
    """The state after `verb`. Raises Refused(STATE_FORBIDS)."""
    return CARD.after(card.state, verb)


def move(actor: Actor, card: Card, verb: str, event: str, *changed: str, **facts: object) -> Card:
    """Bring one locked card to the state after `verb`; save also the fields `changed`; tell life line and audit."""
    card.state = guard(card, verb)
    card.version += 1
    card.save(update_fields=["state", "version", *changed])
    tell(actor, [card], event, **facts)
    record(actor, f"card.{verb}", card.subject, state=card.state, **facts)
    return card


def move_all(actor: Actor, cards: Sequence[Card], verb: str, event: str, *changed: str, **facts: object) -> list[Card]:
    """The same for many locked cards: three statements, one audit row that names all of them."""
    for card in cards:
        card.state = guard(card, verb)
        card.version += 1
    Card.objects.bulk_update(cards, ["state", "version", *changed], batch_size=1000)
    tell(actor, cards, event, **facts)
    record(actor, f"card.{verb}", "cards", cards=[card.subject for card in cards], **facts)
    return list(cards)


def tell(actor: Actor, cards: Iterable[Card], event: str, **facts: object) -> None:
    """Write a line into the life of each card."""
    now = timezone.now()
    plain: Any = plain_form(facts)
    CardEvent.objects.bulk_create(
        [
            CardEvent(card=card, at=now, event=event, facts=plain, by=actor.name, organisation_id=actor.organisation)
            for card in cards
        ],
        batch_size=1000,
    )


def must_give_reason(verb: str, reason: str) -> str:
    """The reason without blanks around it. Raises Refused(CARD_REASON)."""
    clean = reason.strip()
    if not clean:
        raise Refused(Code.CARD_REASON, verb=verb)
    return clean


def open_exchange_of(card: Card) -> ExchangeCase | None:
    """The open exchange in which this card is the old or the new one."""
    cases = ExchangeCase.objects.filter(state__in=OPEN_EXCHANGE)
    return cases.filter(old_card=card).first() or cases.filter(new_card=card).first()


def must_not_be_exchanged(card: Card, verb: str) -> None:
    """Raises Refused(CARD_EXCHANGE_OPEN) for a card of an open exchange."""
    case = open_exchange_of(card)
    if case is not None:
        raise Refused(Code.CARD_EXCHANGE_OPEN, exchange=case.number, verb=verb)
