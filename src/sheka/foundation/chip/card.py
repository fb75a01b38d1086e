"""The virtual card: a chip with a card's profile, as a real one behaves behind a reader (H3, H4; card.md §5)."""

from __future__ import annotations

import os
from collections.abc import Callable

from sheka.foundation.chip.apdu import Command, Denied, StatusWord
from sheka.foundation.chip.chip import Chip
from sheka.foundation.chip.commands.table import Entry, table
from sheka.foundation.chip.engine import VirtualChip, need_layout, need_length
from sheka.foundation.chip.memory import CardMemory, Life
from sheka.foundation.chip.profile import CardProfile
from sheka.foundation.chip.storage import Storage
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm

CHIP_SERIAL_BYTES = 8
_CLASSES = frozenset((0x00, 0x04, 0x80, 0x84))


class VirtualCard(VirtualChip[Chip]):
    """A card: a profile and the memory of one chip. Like a chip it does one thing at a time: it is not thread-safe.

    Parameters
    ----------
    profile : the layout that the chip was made for.
    storage : the chip's memory; held from `power_on` to `power_off`, so a card is in one reader at a time.
    random : gives random bytes; tests put in their own.
    """

    def __init__(self, profile: CardProfile, storage: Storage, *, random: Callable[[int], bytes] = os.urandom) -> None:
        super().__init__(storage, random=random)
        self._profile = profile
        self._table = table(profile)
        self._instructions = frozenset(ins for _, ins in self._table)

    @classmethod
    def manufacture(
        cls,
        storage: Storage,
        profile: CardProfile,
        *,
        algorithm: Algorithm,
        chip_serial: bytes,
        transport_key: bytes,
        random: Callable[[int], bytes] = os.urandom,
    ) -> VirtualCard:
        """Make a blank chip in an empty storage.

        Parameters
        ----------
        chip_serial : 8 bytes that the blank chip answers to GET DATA; the factor of its transport key.
        transport_key : KT of this chip, 16 bytes: the chip maker's master transport key diversified by the serial.
        """
        need_length("chip serial", chip_serial, CHIP_SERIAL_BYTES)
        need_length("transport key", transport_key, KEY_BYTES)
        storage.create(
            {
                "profile": _layout(profile),
                "life": bytes((Life.BLANK,)),
                "algorithm": bytes((algorithm,)),
                "chip serial": chip_serial,
                "transport key": transport_key,
                "historical": profile.atr.blank_historical,
            }
        )
        return cls(profile, storage, random=random)

    @property
    def life(self) -> Life | None:
        """The life state of a powered chip, else None."""
        return self._chip.memory.life if self._chip else None

    def _boot(self, memory: CardMemory) -> Chip:
        need_layout(memory, _layout(self._profile))
        for name in ("life", "historical"):
            memory.need(name)
        return Chip(self._profile, memory, self._random)

    def _answer_to_reset(self, memory: CardMemory) -> bytes:
        return self._profile.atr.prefix + memory.need("historical")

    def _instruction(self, chip: Chip, command: Command) -> Entry:
        """The command's entry: 6E00, 6D00 for what is not known; 6A81, 6901, 6985, 9303 for a wrong time."""
        entry = self._table.get((command.cla, command.ins))
        if entry is None:
            known = command.cla in _CLASSES and command.ins not in self._instructions
            raise Denied(StatusWord.UNKNOWN_INSTRUCTION if known else StatusWord.UNKNOWN_CLASS)
        life = chip.memory.life
        if life is Life.BLOCKED:
            raise Denied(StatusWord.NOT_SUPPORTED)
        if life not in entry.lives:
            raise Denied(StatusWord.WRONG_STATE)
        if not entry.when_blocked and (block := chip.block_of(chip.session.directory)):
            raise Denied(StatusWord.LOCKED_FOR_GOOD if block > 1 else StatusWord.CONDITIONS)
        return entry


def _layout(profile: CardProfile) -> bytes:
    return f"{profile.name}/{profile.version}".encode("ascii")
