"""Check the card in a reader at the counter: genuine or false (C1), readable or not (R7)."""

from __future__ import annotations

from sheka.equipment.card_reader.examination import ReaderFinding, examine
from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.chips import prove_genuine
from sheka.systems.cards.ledger import lock_card, tell
from sheka.systems.cards.models import Card
from sheka.systems.cards.queries.cards import card_named

_FALSE = frozenset((Code.CARD_COUNTERFEIT, Code.CARD_NOT_GENUINE))


def check_card(actor: Actor, *, reader: Reader) -> Card:
    """The genuine card in the reader. A false one is told on the life line of the real one, also though this refuses.

    Raises Refused: CARD_UNKNOWN, CARD_COUNTERFEIT, CARD_NOT_GENUINE, and the refusals of reader and machine.
    """
    actor.require(Permission.CARD_EXAMINE)
    refusal: Refused | None = None
    with CardSession(reader) as session:
        session.select_sse()
        card = card_named(actor, session.read_public_identity().card_number.text)
        try:
            prove_genuine(session, card)
        except Refused as found:
            if found.code not in _FALSE:
                raise
            refusal = found
    _note_check(actor, card=card, reader=reader.name, refusal=refusal)
    if refusal is not None:
        raise refusal
    return card


def examine_card(actor: Actor, *, card: Card, reader: Reader) -> ReaderFinding:
    """The equipment's own finding on a chip (R7), for an application; audited. Refusals of the reader as they are."""
    actor.require(Permission.CARD_EXAMINE)
    finding = examine(reader)
    _note_finding(actor, card=card, finding=finding)
    return finding


@action(Permission.CARD_EXAMINE)
def _note_check(actor: Actor, *, card: Card, reader: str, refusal: Refused | None) -> None:
    found = lock_card(actor, card)
    if refusal is not None:
        tell(actor, [found], "counterfeit_seen", reader=reader, code=refusal.number)
    code = refusal.number if refusal is not None else None
    record(actor, "card.checked", found.subject, genuine=refusal is None, refusal=code, reader=reader)


@action(Permission.CARD_EXAMINE)
def _note_finding(actor: Actor, *, card: Card, finding: ReaderFinding) -> None:
    found = lock_card(actor, card)
    steps = [[step.step.en, step.status] for step in finding.steps]
    record(actor, "card.examined", found.subject, readable=finding.readable, reader=finding.reader, steps=steps)
