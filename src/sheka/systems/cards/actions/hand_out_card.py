"""Hand a new card out to its holder, or to a proxy, against identity documents."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.numbers import mask_person_number
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.documents import Identity, Proxy, checked_proxy, must_be_holder
from sheka.systems.cards.ledger import guard, lock_card, lock_person, move, open_exchange_of
from sheka.systems.cards.models import Card
from sheka.systems.cards.scope import counter
from sheka.systems.cards.states import WITH_HOLDER


@action(Permission.CARD_HAND_OUT)
def hand_out_card(actor: Actor, *, card: Card, identity: Identity, proxy: Proxy | None = None) -> Card:
    """`identity` is the holder's document, shown by the holder or brought by the proxy. The day counts as receipt (R5).

    Raises Refused: CARD_WRONG_OUTLET, CARD_BELONGS_TO_EXCHANGE, CARD_IDENTITY_DIFFERS, CARD_IDENTITY_NAME,
    CARD_PROXY_…, CARD_PERSON_HAS_ONE, STATE_FORBIDS.
    """
    found = lock_card(actor, card)
    guard(found, "hand_out")
    must_lie_here(actor, found)
    case = open_exchange_of(found)
    if case is not None:
        raise Refused(Code.CARD_BELONGS_TO_EXCHANGE, card=found, exchange=case.number)
    return give(actor, found, identity, proxy)


def give(actor: Actor, card: Card, identity: Identity, proxy: Proxy | None) -> Card:
    """The holder's document is checked and the card leaves the outlet; in the running transaction, the card locked."""
    person = lock_person(card.person_id)
    must_be_holder(person, identity)
    facts: dict[str, object] = {"to": "holder", "document": "id_card" if identity.card else "other"}
    if proxy is not None:
        agent = checked_proxy(person, proxy)
        facts = {**facts, "to": "proxy", "relation": agent.relation, "proxy": mask_person_number(agent.number)}
    held = person.cards.exclude(pk=card.pk).filter(state__in=WITH_HOLDER).first()
    if held is not None:
        raise Refused(Code.CARD_PERSON_HAS_ONE, state=held.state)
    card.received_on = timezone.localdate()
    return move(actor, card, "hand_out", "handed_out", "received_on", **facts)


def must_lie_here(actor: Actor, card: Card) -> None:
    """The actor's counter is the one where the card waits. Raises Refused: CARD_NOT_A_COUNTER, CARD_WRONG_OUTLET."""
    place = counter(actor)
    if card.outlet_id != place.code:
        raise Refused(Code.CARD_WRONG_OUTLET, card=card, expected=card.outlet.name, got=place.name)
