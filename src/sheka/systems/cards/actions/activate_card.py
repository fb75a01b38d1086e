"""Activate a card that was handed out: the holder changes the initial PIN, and the card itself is asked whether."""

from __future__ import annotations

from django.utils import timezone

from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.chips import prove_genuine
from sheka.systems.cards.ledger import guard, lock_card, move
from sheka.systems.cards.models import Card
from sheka.systems.cards.policy import CARDS, in_force


@action(Permission.CARD_ACTIVATE)
def activate_card(actor: Actor, *, card: Card, reader: Reader, old_pin: str, new_pin: str) -> Card:
    """Prove the card in the reader genuine, change its PIN, and ask it in a new session whether the new one opens it.

    PINs go to the card and nowhere else. A card whose PIN was changed before is activated when it knows `new_pin`
    already (old and new are given alike).
    Raises Refused: CARD_PIN_TOO_EASY, CARD_PIN_NOT_CHANGED, CARD_PIN_WRONG with the tries left, CARD_COUNTERFEIT,
    CARD_OTHER_IN_READER, STATE_FORBIDS.
    """
    found = lock_card(actor, card)
    guard(found, "activate")
    _must_be_chosen_well(new_pin, found)
    with CardSession(reader) as session:
        prove_genuine(session, found)
        if old_pin != new_pin:
            session.change_pin(old_pin, new_pin)
    with CardSession(reader) as session:
        try:
            session.verify_pin(new_pin)
        except Refused as refusal:
            if refusal.code is Code.CARD_PIN_INITIAL:
                raise Refused(Code.CARD_PIN_NOT_CHANGED, card=found) from refusal
            raise
    found.activated_at = timezone.now()
    return move(actor, found, "activate", "activated", "activated_at", reader=reader.name)


def _must_be_chosen_well(pin: str, card: Card) -> None:
    """Not a PIN that everybody tries first: the policy's list, the holder's birthday, the end of the own number."""
    rule = in_force(CARDS, "pin", timezone.localdate())
    birth, number = card.person.birth, card.person.social_security_number
    guessed = {f"{birth:%y%m%d}", f"{birth:%m%d%y}", f"{birth:%d%m%y}", number[-6:], number[11:17]}
    if pin == rule["initial"] or pin in rule["too_easy"] or pin in guessed:
        raise Refused(Code.CARD_PIN_TOO_EASY)
