"""Give a card in use the next version of its keys, over a reader (rotation, K1, K2; C1).

The chip is changed before the record is: when the record is lost, the same call again finds the chip done and notes it.
"""

from __future__ import annotations

import re
from dataclasses import replace

from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.card_reader.rekeying import rekey
from sheka.equipment.card_reader.session import CardSession
from sheka.equipment.initialisation.machine_keys import MachineKeys
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.chip_orders import chip_keys
from sheka.systems.cards.chips import AUTHENTICATION_KEY, prove_genuine
from sheka.systems.cards.ledger import lock_card, tell
from sheka.systems.cards.models import Card
from sheka.systems.keys.queries import key_named, newest_version

_SERIAL = re.compile(r"[0-9A-F]{16}")
_NO_SERIAL = Term("记录中没有芯片序列号", "its chip serial is not on record")


@action(Permission.CARD_PRODUCE)
def rekey_card(actor: Actor, *, card: Card, reader: Reader) -> Card:
    """The card with the next version of which the city has a complete active set.

    Both versions work until the old one is retired. Raises Refused: CARD_REKEY_VERSION when there is no newer set,
    CARD_REKEY_CLOSED for a card that takes no new keys (it is exchanged instead), CARD_OTHER_IN_READER,
    CARD_COUNTERFEIT, CARD_NOT_GENUINE, KEY_SET_INCOMPLETE, KEY_SUSPENDED, and what reader and machine refuse.
    """
    found = lock_card(actor, card)
    before, newest = found.key_version, newest_version(found.organisation_id, Algorithm(found.algorithm))
    if newest <= before:
        raise Refused(Code.CARD_REKEY_VERSION, card=before, asked=newest)
    if not _SERIAL.fullmatch(found.chip_serial or ""):
        raise Refused(Code.CARD_REKEY_CLOSED, status="-", meaning=_NO_SERIAL)
    keys = _keys(found, before)
    with CardSession(reader) as session:
        prove_genuine(session, found)
        done = rekey(session, keys, before + 1, chip_serial=bytes.fromhex(found.chip_serial or ""))
    found.key_version = done.version
    found.version += 1
    found.save(update_fields=["key_version", "version"])
    tell(actor, [found], "rekeyed", version=done.version, reader=reader.name)
    record(actor, "card.rekeyed", found.subject, version=done.version, before=before, reader=reader.name)
    return found


def _keys(card: Card, before: int) -> MachineKeys:
    """All keys of the next version, and of the present one those by which the card takes them and proves itself."""
    algorithm, profile = Algorithm(card.algorithm), load_profile()
    keys = chip_keys(card, before + 1)
    present = {
        (name, before): key_named(card.organisation_id, name, algorithm, before).reference
        for name in (AUTHENTICATION_KEY, profile.rekeying)
    }
    return replace(keys, references={**keys.references, **present})
