"""The production station: a chip from the drawer, personalised, put back as a card, or as scrap (H3, I6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.initialisation.drawer import ChipDrawer, DrawnChip
from sheka.equipment.initialisation.machine_keys import CardKeys
from sheka.equipment.initialisation.order import ChipOrder
from sheka.equipment.initialisation.personalise import ChipResult, Fate, fate_of, personalise
from sheka.foundation.chip.profile import CardProfile
from sheka.foundation.refusals import Code, Refused

_DEAD = frozenset({Code.READER_CARD_MUTE, Code.CHIP_STORAGE_DAMAGED})
"""A chip of the drawer cannot be put in the wrong way round: if it is mute it is dead."""


def produce(
    drawer: ChipDrawer,
    order: ChipOrder,
    keys: CardKeys,
    profile: CardProfile | None = None,
    *,
    reader_of: Callable[[DrawnChip], Reader] = DrawnChip.reader,
) -> ChipResult:
    """Make one card of the drawer's chips. Doing it again for the same order gives the same card, never a second one.

    Parameters
    ----------
    reader_of : puts the chip into a reader; by default one in this process.

    Raises
    ------
    Refused : DRAWER_ABSENT, DRAWER_EMPTY and those of `personalise`, with `chip_serial` among the facts. A spoilt chip
        is scrap by then, and repeating the call takes another one; a chip that can be continued stays with its card
        number, and repeating the call goes on. A card that was finished before is never made scrap here.
    """
    chip = drawer.take(order.algorithm, order.card_number)
    try:
        result = personalise(reader_of(chip), order, keys, profile)
    except Refused as error:
        spoilt = fate_of(error) is Fate.SCRAP or error.code in _DEAD
        if spoilt and not chip.finished:
            drawer.scrap(chip)
        error.facts["chip_serial"] = chip.serial
        raise
    drawer.finish(chip)
    return replace(result, chip_serial=chip.serial)
