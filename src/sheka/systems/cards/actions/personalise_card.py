"""Make a card out of a blank chip: personalised through the reader, read back and accepted by the equipment (H3, I6).

The chip is the one thing here that no transaction takes back. So an attempt is on record before the chip is touched,
its end after; an attempt that was left open, or failed, names a chip to be found, and destroyed or continued.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.utils import timezone

from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.initialisation.drawer import ChipDrawer
from sheka.equipment.initialisation.machine_keys import MachineKeys
from sheka.equipment.initialisation.order import ChipOrder
from sheka.equipment.initialisation.personalise import ChipResult, fate_of, personalise
from sheka.equipment.initialisation.station import produce
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.chip_orders import chip_keys, chip_order
from sheka.systems.cards.ledger import guard, lock_card, move, tell
from sheka.systems.cards.models import Card, Personalisation
from sheka.systems.cards.waiting import cards_move, exchange_made

Make = Callable[[ChipOrder, MachineKeys], ChipResult]


def personalise_card(actor: Actor, *, card: Card, reader: Reader) -> Card:
    """Make the card out of the blank chip in `reader`. The same call again continues a chip that was cut off.

    Raises Refused: STATE_FORBIDS, KEY_SET_INCOMPLETE, KEY_UNKNOWN, CARD_CHIP_USED, and the refusals of equipment and
    machine; `fate` among the facts of those says whether the chip is to be kept or scrapped.
    """
    return _make(actor, card, reader.name, lambda order, keys: personalise(reader, order, keys))


def produce_card(actor: Actor, *, card: Card, drawer: ChipDrawer) -> Card:
    """The same with a virtual chip from the drawer, which is put back as the finished card or as scrap.

    Raises Refused: DRAWER_ABSENT, DRAWER_EMPTY, and as `personalise_card`.
    """
    return _make(actor, card, "drawer", lambda order, keys: _from_drawer(drawer, order, keys))


def _from_drawer(drawer: ChipDrawer, order: ChipOrder, keys: MachineKeys) -> ChipResult:
    result = produce(drawer, order, keys)
    return replace(result, chip_serial=drawer.serial_of(result.card_number))


def _make(actor: Actor, card: Card, reader: str, make: Make) -> Card:
    attempt = _begin(actor, card=card, reader=reader)
    try:
        return _finish(actor, attempt=attempt, make=make)
    except Refused as refusal:
        _note_failure(actor, attempt=attempt, refusal=refusal)
        raise


@action(Permission.CARD_PRODUCE)
def _begin(actor: Actor, *, card: Card, reader: str) -> Personalisation:
    """Committed before the chip is touched."""
    found = lock_card(actor, card)
    guard(found, "personalise")
    attempt = Personalisation.objects.create(card=found, reader=reader, by=actor.name, started_at=timezone.now())
    record(actor, "card.personalisation_begun", found.subject, attempt=attempt.pk, reader=reader)
    return attempt


@action(Permission.CARD_PRODUCE)
def _finish(actor: Actor, *, attempt: Personalisation, make: Make) -> Card:
    """The card's row is locked while its chip is made: two readers never make one card."""
    found = lock_card(actor, attempt.card)
    guard(found, "personalise")
    result = make(chip_order(found), chip_keys(found))
    serial = result.chip_serial or f"?{found.number}"  # a chip finished by a lost run has forgotten its serial
    if Card.objects.filter(chip_serial=serial).exists():
        raise Refused(Code.CARD_CHIP_USED, chip=serial, fate="scrap")
    attempt.chip_serial, attempt.state, attempt.ended_at = serial, "done", timezone.now()
    attempt.save(update_fields=["chip_serial", "state", "ended_at"])
    found.chip_serial = serial
    cards_move(actor, [found], made=True)
    exchange_made(actor, found)
    facts = {"chip": serial, "reader": attempt.reader, "keys": result.keys, "resumed": result.resumed}
    return move(actor, found, "personalise", "personalised", "chip_serial", **facts)


@action(Permission.CARD_PRODUCE)
def _note_failure(actor: Actor, *, attempt: Personalisation, refusal: Refused) -> None:
    """What became of the chip, on record although the making was rolled back."""
    found = lock_card(actor, attempt.card)
    serial = str(refusal.facts.get("chip_serial", ""))
    attempt.chip_serial, attempt.state, attempt.ended_at = serial, "failed", timezone.now()
    attempt.code, attempt.facts = refusal.number, {"fate": fate_of(refusal).value}
    attempt.save(update_fields=["chip_serial", "state", "ended_at", "code", "facts"])
    tell(actor, [found], "personalisation_failed", chip=serial or "-", code=refusal.number, reader=attempt.reader)
    record(actor, "card.personalisation_failed", found.subject, chip=serial, code=refusal.number, **attempt.facts)
