"""Loss of a card: temporary report, formal report, release; thin, the card stops at once."""

from __future__ import annotations

from sheka.office.actions import action
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.documents import Identity, must_be_holder
from sheka.systems.cards.ledger import guard, lock_card, lock_person, move, must_give_reason
from sheka.systems.cards.models import Card


@action(Permission.CARD_LOSS)
def report_loss_temporarily(actor: Actor, *, card: Card, how: str) -> Card:
    """By telephone or at any counter, without documents: `how` says by whom and which way it was reported.

    Raises Refused: CARD_REASON, STATE_FORBIDS.
    """
    found = lock_card(actor, card)
    guard(found, "report_loss_temporarily")
    return move(
        actor,
        found,
        "report_loss_temporarily",
        "lost_temporarily",
        reason=must_give_reason("report_loss_temporarily", how),
    )


@action(Permission.CARD_LOSS)
def report_loss(actor: Actor, *, card: Card, identity: Identity) -> Card:
    """Formally, against the holder's identity document.

    Raises Refused: CARD_IDENTITY_DIFFERS, CARD_IDENTITY_NAME, STATE_FORBIDS.
    """
    found = lock_card(actor, card)
    guard(found, "report_loss")
    must_be_holder(lock_person(found.person_id), identity)
    return move(actor, found, "report_loss", "lost_formally")


@action(Permission.CARD_LOSS)
def release_loss(actor: Actor, *, card: Card, identity: Identity) -> Card:
    """The card was found: it is what it was before the report. Only against the holder's identity document.

    Raises Refused: CARD_IDENTITY_DIFFERS, CARD_IDENTITY_NAME, STATE_FORBIDS.
    """
    found = lock_card(actor, card)
    verb = "release" if found.was_activated else "release_unused"
    guard(found, verb)
    must_be_holder(lock_person(found.person_id), identity)
    return move(actor, found, verb, "released")
