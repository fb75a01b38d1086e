"""Which class and instruction byte reach which handler, and in which state of the chip (card.md §5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.chip import Chip
from sheka.foundation.chip.commands import (
    authenticating,
    blocking,
    personalising,
    pin,
    purchasing,
    reading,
    rekeying,
    selecting,
    supporting,
    writing,
)
from sheka.foundation.chip.engine import Instruction
from sheka.foundation.chip.memory import Life
from sheka.foundation.chip.profile import CardProfile

_ALWAYS = frozenset((Life.BLANK, Life.IN_USE))
_IN_USE = frozenset((Life.IN_USE,))
_BLANK = frozenset((Life.BLANK,))


@dataclass(frozen=True, slots=True)
class Entry(Instruction[Chip]):
    """One command of the card, and when it works."""

    lives: frozenset[Life] = _IN_USE
    when_blocked: bool = False
    """Goes on working in a blocked application."""


def _write_key(chip: Chip, command: Command) -> bytes:
    """WRITE KEY of a blank chip, or of a card that is given new keys."""
    if chip.memory.life is Life.BLANK:
        return personalising.write_key(chip, command)
    return rekeying.write_key(chip, command)


def table(profile: CardProfile) -> Mapping[tuple[int, int], Entry]:
    """The command table of a profile by (CLA, INS)."""
    append = Entry(writing.append_record, lives=_ALWAYS)
    update_record = Entry(writing.update_record, lives=_ALWAYS)
    update_binary = Entry(writing.update_binary, lives=_ALWAYS)
    own = profile.instructions
    return {
        (0x00, 0xA4): Entry(selecting.select, lives=_ALWAYS, when_blocked=True),
        (0x00, 0xB2): Entry(reading.read_record, lives=_ALWAYS, outgoing=True),
        (0x00, 0xB0): Entry(reading.read_binary, lives=_ALWAYS, outgoing=True),
        (0x00, 0xDC): update_record,
        (0x04, 0xDC): update_record,
        (0x00, 0xD6): update_binary,
        (0x04, 0xD6): update_binary,
        (0x00, 0xE2): append,
        (0x04, 0xE2): append,
        (0x00, 0x84): Entry(supporting.get_challenge, lives=_ALWAYS, outgoing=True, when_blocked=True),
        (0x00, 0xC0): Entry(supporting.get_response, lives=_ALWAYS, outgoing=True, when_blocked=True),
        (0x00, 0x88): Entry(authenticating.internal_authenticate),
        (0x00, 0x82): Entry(authenticating.external_authenticate, lives=_ALWAYS, when_blocked=True),
        (0x00, 0x20): Entry(pin.verify),
        (0x80, 0x5E): Entry(pin.change_pin),
        (0x84, 0x24): Entry(pin.pin_change_unblock),
        (0x84, 0x1E): Entry(blocking.application_block, when_blocked=True),
        (0x84, 0x18): Entry(blocking.application_unblock, when_blocked=True),
        (0x84, 0x16): Entry(blocking.card_block, when_blocked=True),
        own["get_data"]: Entry(supporting.get_data, lives=_ALWAYS, outgoing=True),
        own["write_key"]: Entry(_write_key, lives=_ALWAYS),
        own["write_pin"]: Entry(personalising.write_pin, lives=_BLANK),
        own["set_identity"]: Entry(personalising.set_identity, lives=_BLANK),
        own["end_personalisation"]: Entry(personalising.end_personalisation, lives=_BLANK),
        own["end_rekeying"]: Entry(rekeying.end_rekeying),
        own["retire_version"]: Entry(rekeying.retire_version),
        own["initialise_purchase"]: Entry(purchasing.initialise_purchase),
        own["debit_purchase"]: Entry(purchasing.debit_purchase),
        own["transaction_proof"]: Entry(purchasing.transaction_proof),
    }
