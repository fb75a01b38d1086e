"""Give cards their numbers: card number, and identification code signed by the city's machine (card.md §4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby

from django.utils import timezone

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.numbers import CardIdentificationCode
from sheka.office.actions import action
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.chips import AUTHENTICATION_KEY
from sheka.systems.cards.ledger import guard, lock_cards, move_all
from sheka.systems.cards.models import Card
from sheka.systems.cards.numbering import factor_of, number_of, take_serials
from sheka.systems.cards.policy import CARDS, in_force
from sheka.systems.cards.queries.exchanges import lock_exchanges_making
from sheka.systems.cards.states import EXCHANGE
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.queries import key_named, newest_version


@action(Permission.CARD_PRODUCE)
def number_cards(actor: Actor, *, cards: Sequence[Card]) -> list[Card]:
    """Number every card of the list, or none. The authentication codes of one city and algorithm come in one call.

    Raises Refused: STATE_FORBIDS, CARD_NUMBERS_USED_UP, KEY_UNKNOWN, and the refusals of the encryption machine.
    """
    found = lock_cards(actor, cards)
    for card in found:
        guard(card, "number")
    today = timezone.localdate()

    def alike(card: Card) -> tuple[str, int]:
        return card.organisation_id, card.algorithm

    for (city, algorithm), group in groupby(sorted(found, key=alike), key=alike):
        _number(list(group), Algorithm(algorithm), newest_version(city, Algorithm(algorithm)), today)
    for case in lock_exchanges_making(found):
        case.state = EXCHANGE.after(case.state, "produce")
        case.save(update_fields=["state"])
    changed = ("number", "identification_code", "factor", "key_version", "issued_on", "expires_on")
    return move_all(actor, found, "number", "numbered", *changed)


def _number(cards: list[Card], algorithm: Algorithm, version: int, today: date) -> None:
    """Numbers, factors, identification codes and dates of cards of one city and one algorithm, all with the newest
    version of the keys.
    """
    city = cards[0].organisation
    serials = take_serials(city, len(cards))
    firsts = [CardIdentificationCode.part_to_sign(city.region, serial) for serial in serials]
    factors = [factor_of(city.region, first[8:]) for first in firsts]
    key = key_named(city.code, AUTHENTICATION_KEY, algorithm, version)
    codes = machine_of(city.code).card_authentication_codes(key.reference, factors, firsts)
    for card, serial, factor, code in zip(cards, serials, factors, codes, strict=True):
        card.number = number_of(city, serial, today).text
        card.identification_code = CardIdentificationCode.make(city.region, serial, code).text
        card.factor = factor.hex().upper()
        card.key_version = version
        card.issued_on = today
        card.expires_on = last_day(today, card.specification)


def last_day(issued_on: date, specification: str) -> date:
    """The last day on which a card is valid (policy: years from issue, the day before the anniversary).

    >>> last_day(date(2026, 1, 5), "3.00").isoformat()
    '2036-01-04'
    """
    years = in_force(CARDS, "validity", issued_on, specification=specification)["years"]
    try:
        anniversary = issued_on.replace(year=issued_on.year + years)
    except ValueError:  # 29 February
        anniversary = date(issued_on.year + years, 3, 1)
    return anniversary - timedelta(days=1)
