"""Searching cards: exact, masked, audited (design §2.4, §2.10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from sheka.foundation.numbers import CardNumber, SocialSecurityNumber, mask_person_number
from sheka.foundation.refusals import Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.labels import STATES
from sheka.systems.cards.models import Card
from sheka.systems.cards.queries.cards import served_cards

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class CardRow:
    """One card in a list; the person's number masked, the state in the reader's language beside its word."""

    card_number: str
    name: str
    person_number: str
    state: str
    state_label: str
    outlet: str
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, numbered from 1."""

    rows: list[CardRow]
    page: int
    pages: int
    total: int


@action(Permission.CARD_VIEW)
def search_cards(actor: Actor, text: str = "", state: str = "", page: int = 1) -> Page:
    """Cards of the actor's city by exact name, card number or social security number; all of them for an empty text.

    The audit row says what kind of thing was looked for and how much was found, never the number itself.
    """
    rows = served_cards(actor)
    kind, condition = _condition(text.strip())
    rows = rows.filter(condition)
    if state:
        rows = rows.filter(state=state)
    total = rows.count()
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, page), pages)
    found = rows.order_by("-pk")[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    record(actor, "card.searched", "cards", by=kind, state=state, found=total, page=page)
    return Page([_row(card) for card in found], page, pages, total)


def _condition(text: str) -> tuple[str, Q]:
    if not text:
        return "all", Q()
    try:
        return "card number", Q(number=CardNumber.parse(text).text)
    except Refused:
        pass
    try:
        return "person number", Q(person__social_security_number=SocialSecurityNumber.parse(text).text)
    except Refused:
        return "name", Q(person__name=text)


def _row(card: Card) -> CardRow:
    return CardRow(
        card_number=str(card),
        name=card.person.name,
        person_number=mask_person_number(card.person.social_security_number),
        state=card.state,
        state_label=str(STATES[card.state]),
        outlet=card.outlet.name,
        expires_on=card.expires_on,
    )
