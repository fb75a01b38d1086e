"""Judge a card by the facts of a reader, here or far away: every test, each with its outcome; audited (C1)."""

from __future__ import annotations

from sheka.equipment.card_reader.verdict import CardFacts, Verdict, judge
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.queries.cards import served_cards
from sheka.systems.cards.register import CityRegister

_SIGNED_DIGITS = 24


@action(Permission.CARD_STATE)
def judge_card(actor: Actor, *, facts: CardFacts, reader: str = "") -> Verdict:
    """Never refuses a card: the verdict says what failed. A test that needs a machine elsewhere is told as not made.

    `reader`: what the equipment is called, for the record. The card is looked for by the first 12 bytes of its
    identification code, so that a forged authentication code is a finding on that card.
    """
    rows = served_cards(actor).filter(identification_code__startswith=facts.code.text[:_SIGNED_DIGITS])
    card = rows.first()
    verdict = judge(facts, CityRegister(facts, card))
    failed = verdict.failed.test.name if verdict.failed is not None else ""
    subject = card.subject if card is not None else "cards"
    record(actor, "card.checked", subject, genuine=verdict.passed, failed=failed, reader=reader)
    return verdict
