"""What the global search finds of cards: holders by name, pinyin or number, cards and receipts by their number."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from sheka.foundation.numbers import CardNumber, SocialSecurityNumber, mask_person_number
from sheka.foundation.refusals import Refused
from sheka.office.staff.actors import Actor
from sheka.office.work.search import MOST, Asked, Found, named_like
from sheka.systems.cards.labels import EXCHANGE_STATES, STATES
from sheka.systems.cards.models import Card, ExchangeCase, Person
from sheka.systems.cards.queries.cards import served_cards
from sheka.systems.cards.scope import served_path

PERSON = "person"
_TONES = {"active": "good", "lost": "stop", "temporarily_lost": "stop", "blocked": "stop", "in_stock": "info"}


def find_cards(actor: Actor, asked: Asked) -> list[Found]:
    """The cards of whoever is called so or has this number, and people who have none yet; the nearest name first."""
    by_card = _parsed(CardNumber, asked.text)
    if by_card:
        return [_found(card, exact=True) for card in served_cards(actor).filter(number=by_card)]
    people = _people(actor, asked)
    order = {person.pk: place for place, person in enumerate(people)}
    cards = list(served_cards(actor).filter(person__in=order).order_by("-pk")[: 4 * MOST])
    carded = {card.person_id for card in cards}
    found = [(order[card.person_id], _found(card)) for card in cards]
    found += [(order[person.pk], _without_card(person)) for person in people if person.pk not in carded]
    return [one for _place, one in sorted(found, key=lambda row: row[0])][: MOST + 1]


def find_receipts(actor: Actor, asked: Asked) -> list[Found]:
    """The exchange whose confirmation or temporary proof carries this number."""
    if not asked.is_number:
        return []
    rows = ExchangeCase.objects.select_related("person", "old_card")
    rows = rows.filter(old_card__organisation__path__within=served_path(actor))
    number = asked.text.upper()
    return [
        Found(
            name=case.person.name,
            number=case.number,
            note=mask_person_number(case.person.social_security_number),
            state=EXCHANGE_STATES[case.state],
            tone="info" if case.state == "ready" else "still",
            address=("console:exchange", case.number),
            exact=True,
        )
        for case in rows.filter(Q(number=number) | Q(proof_number=number))
    ]


def _people(actor: Actor, asked: Asked) -> list[Person]:
    rows: QuerySet[Person] = Person.objects.filter(organisation__path__within=served_path(actor))
    number = _parsed(SocialSecurityNumber, asked.text)
    if number:
        return list(rows.filter(social_security_number=number))
    keys = [int(key) for key in named_like(PERSON, asked)]
    known = rows.in_bulk(keys)
    return [known[key] for key in keys if key in known]


def _parsed(kind: type[CardNumber] | type[SocialSecurityNumber], text: str) -> str:
    """The number in its own form, or nothing when it is none."""
    try:
        return kind.parse(text).text
    except Refused:
        return ""


def _found(card: Card, *, exact: bool = False) -> Found:
    return Found(
        name=card.person.name,
        number=str(card),
        note=mask_person_number(card.person.social_security_number),
        state=STATES[card.state],
        tone=_TONES.get(card.state, "still"),
        address=("console:card", card.number) if card.number else None,
        exact=exact,
    )


def _without_card(person: Person) -> Found:
    return Found(name=person.name, note=mask_person_number(person.social_security_number))
