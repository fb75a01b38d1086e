"""The card page: who holds it, its life line, and what the reader may do with it, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.utils.translation import get_language

from sheka.foundation.numbers import mask_person_number, mask_phone
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.labels import STATES, VERBS
from sheka.systems.cards.ledger import open_exchange_of
from sheka.systems.cards.models import Card
from sheka.systems.cards.queries.cards import card_named
from sheka.systems.cards.queries.exchanges import ExchangeSummary, exchange_of, exchange_summary
from sheka.systems.cards.queries.life_line import LifeEvent, life_line
from sheka.systems.cards.scope import COUNTERS, must_serve
from sheka.systems.cards.states import CARD


class Offer(NamedTuple):
    """A button: the verb, whether it is offered, and otherwise the sentence why not."""

    verb: str
    permitted: bool
    why_not: str


@dataclass(frozen=True, slots=True)
class CardPage:
    """Everything on the page of one card; personal data masked but the name."""

    card_number: str
    identification_code: str
    state: str
    state_label: str
    name: str
    person_number: str
    phone: str
    organisation: str
    outlet: str
    specification: str
    algorithm: int
    card_class: str
    issued_on: date | None
    expires_on: date | None
    received_on: date | None
    exchange: ExchangeSummary | None
    life_line: list[LifeEvent]
    offers: list[Offer]


_NEEDS: dict[str, Permission] = {
    "number": Permission.CARD_PRODUCE,
    "personalise": Permission.CARD_PRODUCE,
    "receive": Permission.CARD_STOCK,
    "hand_out": Permission.CARD_HAND_OUT,
    "activate": Permission.CARD_ACTIVATE,
    "exchange": Permission.EXCHANGE_APPLY,
    "report_loss_temporarily": Permission.CARD_LOSS,
    "report_loss": Permission.CARD_LOSS,
    "release": Permission.CARD_LOSS,
    "block": Permission.CARD_BLOCK,
    "unblock": Permission.CARD_BLOCK,
    "cancel": Permission.CARD_CANCEL,
    "hand_in": Permission.OLD_CARD_RETURN,
    "reveal": Permission.CARD_REVEAL,
}
_AT_A_COUNTER = frozenset(("receive", "hand_out", "exchange", "hand_in"))
_UNUSED = {"release": "release_unused", "unblock": "unblock_unused"}


@action(Permission.CARD_VIEW)
def card_page(actor: Actor, card_number: str) -> CardPage:
    """The page of a card that the actor serves; an audited read. Raises Refused(CARD_UNKNOWN)."""
    card = card_named(actor, card_number)
    case = exchange_of(card)
    read_recorded(actor, "card.viewed", card.subject)
    return CardPage(
        card_number=str(card),
        identification_code=card.identification_code or "",
        state=card.state,
        state_label=str(STATES[card.state]),
        name=card.person.name,
        person_number=mask_person_number(card.person.social_security_number),
        phone=mask_phone(card.person.phone),
        organisation=card.organisation.label(get_language() or "zh-hans"),
        outlet=card.outlet.label(get_language() or "zh-hans"),
        specification=card.specification,
        algorithm=card.algorithm,
        card_class=card.card_class,
        issued_on=card.issued_on,
        expires_on=card.expires_on,
        received_on=card.received_on,
        exchange=exchange_summary(case) if case is not None else None,
        life_line=life_line(card),
        offers=actions_for(card, actor),
    )


def actions_for(card: Card, actor: Actor) -> list[Offer]:
    """Every verb of a card page, permitted or with the reason why not, in the reader's language."""
    return [_offer(card, actor, verb) for verb in _NEEDS]


def _offer(card: Card, actor: Actor, verb: str) -> Offer:
    try:
        actor.require(_NEEDS[verb])
        must_serve(actor, card.organisation)
        _must_fit(card, actor, verb)
    except Refused as refusal:
        return Offer(verb, False, refusal.text(get_language() or "zh-hans"))
    return Offer(verb, True, "")


def _must_fit(card: Card, actor: Actor, verb: str) -> None:
    if verb == "reveal":
        return
    if verb == "exchange":
        _must_be_exchangeable(card)
    else:
        CARD.after(card.state, verb if card.was_activated else _UNUSED.get(verb, verb))
    case = open_exchange_of(card)
    if case is not None and verb in ("hand_out", "cancel"):
        raise Refused(Code.CARD_EXCHANGE_OPEN, exchange=case.number, verb=str(VERBS[verb]))
    if verb == "hand_in" and card.chip_serial is None:
        raise Refused(Code.CARD_NEVER_MADE, card=card)
    if verb in _AT_A_COUNTER:
        _must_be_at_counter(card, actor, verb)


def _must_be_exchangeable(card: Card) -> None:
    if card.state not in ("handed_out", "active", "blocked"):
        raise Refused(Code.EXCHANGE_CARD_STATE, state=str(STATES[card.state]))
    case = open_exchange_of(card)
    if case is not None:
        raise Refused(Code.EXCHANGE_OPEN, exchange=case.number)


def _must_be_at_counter(card: Card, actor: Actor, verb: str) -> None:
    place = organisation(actor.organisation)
    if place.kind not in COUNTERS:
        raise Refused(Code.CARD_NOT_A_COUNTER, organisation=place.name)
    if verb in ("receive", "hand_out") and card.outlet_id != place.code:
        raise Refused(Code.CARD_WRONG_OUTLET, card=card, expected=card.outlet.name, got=place.name)
