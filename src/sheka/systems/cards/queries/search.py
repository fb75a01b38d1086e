"""Searching cards: exact, audited (design §2.4, §2.10)."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from sheka.foundation.numbers import CardNumber, SocialSecurityNumber
from sheka.foundation.refusals import Refused
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.models import Card
from sheka.systems.cards.queries.cards import served_cards


def cards_served(actor: Actor) -> QuerySet[Card]:
    """The cards that the actor serves, with what a list shows of them. Raises Refused(PERMISSION_MISSING)."""
    actor.require(Permission.CARD_VIEW)
    return served_cards(actor)


@action(Permission.CARD_VIEW)
def search_cards(actor: Actor, text: str) -> QuerySet[Card]:
    """The cards among them with this card number, this holder's number or exactly this holder's name.

    The audit row says what kind of thing was looked for and how much was found, never the number itself.
    """
    kind, condition = _condition(text.strip())
    found = served_cards(actor).filter(condition)
    read_recorded(actor, "card.searched", "cards", by=kind, found=found.count())
    return found


def _condition(text: str) -> tuple[str, Q]:
    try:
        return "card number", Q(number=CardNumber.parse(text).text)
    except Refused:
        pass
    try:
        return "person number", Q(person__social_security_number=SocialSecurityNumber.parse(text).text)
    except Refused:
        return "name", Q(person__name=text)
