"""Finding one card, within what the actor serves."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.models import Card, ExchangeCase, Personalisation
from sheka.systems.cards.scope import served_path
from sheka.systems.cards.states import OPEN_EXCHANGE


def served_cards(actor: Actor) -> QuerySet[Card]:
    """Every card that the actor serves."""
    rows = Card.objects.select_related("person", "organisation", "outlet")
    return rows.filter(organisation__path__within=served_path(actor))


def card_named(actor: Actor, number: str) -> Card:
    """The card with this number, or, before it has one, with the mark that lists show (`#12`).

    Raises Refused(CARD_UNKNOWN), the same for a card that others serve.
    """
    clean = number.strip().upper()
    mark = clean.removeprefix("#")
    marked = clean.startswith("#") and mark.isascii() and mark.isdigit() and len(mark) < 18
    found = served_cards(actor).filter(**({"pk": int(mark)} if marked else {"number": clean})).first()
    if found is None:
        raise Refused(Code.CARD_UNKNOWN, card=number)
    return found


def card_with_code(actor: Actor, identification_code: str) -> Card:
    """The card with this identification code, 32 hexadecimal characters. Raises Refused(CARD_UNKNOWN)."""
    found = served_cards(actor).filter(identification_code=identification_code.upper()).first()
    if found is None:
        raise Refused(Code.CARD_UNKNOWN, card=identification_code)
    return found


@action(Permission.CARD_STATE)
def card_asked_for(actor: Actor, number: str) -> Card:
    """The card that a program asks about, by its exact number; who asked is audited. Raises Refused(CARD_UNKNOWN)."""
    found = served_cards(actor).filter(number=number).first()
    read_recorded(actor, "card.read", found.subject if found else "cards", found=found is not None)
    if found is None:
        raise Refused(Code.CARD_UNKNOWN, card=number)
    return found


def lock_card_asked_for(actor: Actor, number: str) -> Card:
    """The same for a change that names the version it saw: its row locked until the end of the transaction."""
    rows = served_cards(actor).select_for_update(of=("self",))
    found = rows.filter(number=number).first()
    if found is None:
        raise Refused(Code.CARD_UNKNOWN, card=number)
    return found


def old_cards_at(actor: Actor, organisation_code: str) -> list[Card]:
    """Cards handed in that lie at a place of the actor's and are neither on their way nor listed for destruction."""
    actor.must_act_for(organisation_code)
    rows = Card.objects.filter(state="handed_in", held_at_id=organisation_code)
    return list(
        rows.exclude(returns__transfer__state="sent")
        .exclude(pk__in=Card.objects.filter(destructions__given_up=False).values("pk"))
        .order_by("number")
    )


def stray_chips(actor: Actor) -> list[Personalisation]:
    """Chips taken for a card that did not become one: failed with something written, or left open by a lost run."""
    rows = Personalisation.objects.select_related("card").filter(card__in=served_cards(actor))
    strays = rows.filter(Q(state="started") | Q(state="failed", facts__fate="scrap"))
    return list(strays.order_by("started_at"))


def holder_by_proof(proof_number: str, on: date) -> int | None:
    """The person whom a temporary proof stands for on a day, while the exchange runs (R6); None: it proves nothing."""
    case = ExchangeCase.objects.filter(
        proof_number=proof_number, state__in=OPEN_EXCHANGE, applied_on__lte=on, proof_to__gte=on
    ).first()
    return case.person_id if case is not None else None
