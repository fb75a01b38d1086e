"""The virtual card: reset, then APDU in and answer out, as a real chip behaves behind a reader (H3, H4; card.md §5).

Every command is carried out on a copy of what it changes; the changes are committed as one whole before the answer
leaves, also when the answer is a denial (a try that was used up stays used up). If they cannot be kept the answer is
6581, the chip is as before, and every right of the session is gone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from sheka.foundation.chip.apdu import Command, Denied, Response, StatusWord, more
from sheka.foundation.chip.chip import Chip
from sheka.foundation.chip.commands.table import Entry, table
from sheka.foundation.chip.memory import CardMemory, Life
from sheka.foundation.chip.profile import CardProfile
from sheka.foundation.chip.storage import Storage
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm
from sheka.foundation.refusals import Code, Refused

CHIP_SERIAL_BYTES = 8
_GET_RESPONSE = 0xC0
_CLASSES = frozenset((0x00, 0x04, 0x80, 0x84))

_log = logging.getLogger(__name__)


class VirtualCard:
    """A card: a profile and the memory of one chip. Like a chip it does one thing at a time: it is not thread-safe.

    Parameters
    ----------
    profile : the layout that the chip was made for.
    storage : the chip's memory; held from `power_on` to `power_off`, so a card is in one reader at a time.
    random : gives random bytes; tests put in their own.
    """

    def __init__(self, profile: CardProfile, storage: Storage, *, random: Callable[[int], bytes] = os.urandom) -> None:
        self._profile = profile
        self._storage = storage
        self._random = random
        self._table = table(profile)
        self._instructions = frozenset(ins for _, ins in self._table)
        self._chip: Chip | None = None

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
        for what, value, length in (
            ("chip serial", chip_serial, CHIP_SERIAL_BYTES),
            ("transport key", transport_key, KEY_BYTES),
        ):
            if len(value) != length:
                raise Refused(Code.CHIP_FORMULA_INPUT, what=what, expected=length, got=len(value))
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
    def powered(self) -> bool:
        return self._chip is not None

    @property
    def life(self) -> Life | None:
        """The life state of a powered chip, else None."""
        return self._chip.memory.life if self._chip else None

    def power_on(self) -> bytes:
        """Power up, or reset when powered: the ATR; empty when the chip is damaged, as a dead chip answers nothing.

        Refused: CHIP_STORAGE_ABSENT, CHIP_STORAGE_IN_USE, CHIP_PROFILE_MISMATCH.
        """
        self.power_off()
        try:
            memory = CardMemory(self._storage)
            try:
                self._chip = self._boot(memory)
            except Refused:
                memory.close()
                raise
            return self._profile.atr.prefix + memory.need("historical")
        except Refused as refused:
            if refused.code is Code.CHIP_STORAGE_DAMAGED:
                return b""
            raise

    def power_off(self) -> None:
        """Cut the power; what the session held is gone."""
        if self._chip is not None:
            self._chip.memory.close()
            self._chip = None

    def transmit(self, apdu: bytes) -> bytes:
        """One command APDU: data ‖ SW1 SW2, never fewer than two bytes and never an exception (6F00 without power)."""
        chip = self._chip
        if chip is None:
            return Response(status=StatusWord.INTERNAL).to_bytes()
        try:
            return self._answer(chip, apdu).to_bytes()
        except Exception:
            _log.exception("the virtual card failed on an APDU with header %s", apdu[:4].hex())
            chip.memory.drop()
            chip.session.forget_rights()
            return Response(status=StatusWord.INTERNAL).to_bytes()

    def _boot(self, memory: CardMemory) -> Chip:
        """The chip of a memory that was made for this layout and is complete."""
        layout, own = memory.need("profile"), _layout(self._profile)
        if layout != own:
            raise Refused(
                Code.CHIP_PROFILE_MISMATCH, chip=layout.decode("ascii", "replace"), profile=own.decode("ascii")
            )
        for name in ("life", "historical"):
            memory.need(name)
        return Chip(self._profile, memory, self._random)

    def _answer(self, chip: Chip, apdu: bytes) -> Response:
        try:
            command = Command.parse(apdu)
        except Refused:
            return Response(status=StatusWord.WRONG_LENGTH)
        if command.ins != _GET_RESPONSE:
            chip.session.pending = b""
        try:
            entry = self._entry(chip, command)
            if entry.outgoing and command.data:
                raise Denied(StatusWord.WRONG_LENGTH)
            if entry.outgoing and command.le is None:
                command = Command(command.cla, command.ins, command.p1, command.p2, b"", 256)
            result = entry.handler(chip, command)
            answer = result if isinstance(result, Response) else self._deliver(chip, command, result)
        except Denied as denied:
            chip.memory.drop()
            answer = Response(status=denied.status)
        try:
            chip.memory.commit()
        except Refused:
            _log.exception("the virtual card could not keep its changes")
            chip.session.forget_rights()
            chip.session.pending = b""
            return Response(status=StatusWord.MEMORY_FAILURE)
        return answer

    def _entry(self, chip: Chip, command: Command) -> Entry:
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

    def _deliver(self, chip: Chip, command: Command, data: bytes) -> Response:
        """As much as Le asks for; the rest, or all when the command had no Le, waits for GET RESPONSE."""
        if not data:
            return Response()
        now = 0 if command.le is None else command.le
        if len(data) <= now:
            return Response(data)
        chip.session.pending = data[now:]
        return Response(data[:now], more(len(data) - now))


def _layout(profile: CardProfile) -> bytes:
    return f"{profile.name}/{profile.version}".encode("ascii")
