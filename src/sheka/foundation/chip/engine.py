"""What every virtual chip does alike: power, one command at a time, one commit each, GET RESPONSE (H4; card.md §5).

Every command is carried out on a copy of what it changes; the changes are committed as one whole before the answer
leaves, also when the answer is a denial (a try that was used up stays used up). If they cannot be kept the answer is
6581, the chip is as before, and every right of the session is gone.
"""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sheka.foundation.chip.apdu import SHORT_ANSWER, Command, Denied, Response, StatusWord, more
from sheka.foundation.chip.memory import CardMemory
from sheka.foundation.chip.storage import Storage
from sheka.foundation.refusals import Code, Refused

_GET_RESPONSE = 0xC0

_log = logging.getLogger(__name__)


class PoweredSession(Protocol):
    """What a chip forgets without power, as far as the engine knows it."""

    pending: bytes
    """What waits for GET RESPONSE."""

    def forget_rights(self) -> None:
        """Back to what anybody may do."""


class PoweredChip(Protocol):
    """The inside of a powered chip, as far as the engine knows it."""

    @property
    def memory(self) -> CardMemory: ...

    @property
    def session(self) -> PoweredSession: ...


Inside = TypeVar("Inside", bound=PoweredChip)


@dataclass(frozen=True, slots=True)
class Instruction(Generic[Inside]):
    """One command of a chip: a handler that gives answer data (or a whole Response) or denies by raising `Denied`."""

    handler: Callable[[Inside, Command], bytes | Response]
    outgoing: bool = False
    """Takes no data and answers some: a missing Le means all there is, as T=0 sends it."""
    erasing: bool = False
    """Removes what must not be found in the memory afterwards."""


class VirtualChip(ABC, Generic[Inside]):
    """A chip on top of a storage. Like a real one it does one thing at a time: it is not thread-safe.

    Parameters
    ----------
    storage : the chip's memory; held from `power_on` to `power_off`, so a chip is in one reader at a time.
    random : gives random bytes; tests put in their own.
    """

    def __init__(self, storage: Storage, *, random: Callable[[int], bytes] = os.urandom) -> None:
        self._storage = storage
        self._random = random
        self._chip: Inside | None = None

    @abstractmethod
    def _boot(self, memory: CardMemory) -> Inside:
        """The inside of a memory that was made for this layout and is complete."""

    @abstractmethod
    def _answer_to_reset(self, memory: CardMemory) -> bytes:
        """2 to 33 bytes."""

    @abstractmethod
    def _instruction(self, chip: Inside, command: Command) -> Instruction[Inside]:
        """The command's handler; `Denied` for one that is unknown or not to be carried out now."""

    @property
    def powered(self) -> bool:
        return self._chip is not None

    def power_on(self) -> bytes:
        """Power up, or reset when powered: the ATR; empty when the chip is damaged, as a dead chip answers nothing.

        Refused: CHIP_STORAGE_ABSENT, CHIP_STORAGE_IN_USE, CHIP_PROFILE_MISMATCH.
        """
        self.power_off()
        try:
            memory = CardMemory(self._storage)
            try:
                self._chip = self._boot(memory)
                return self._answer_to_reset(memory)
            except Refused:
                self._chip = None
                memory.close()
                raise
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
            _log.exception("the virtual chip failed on an APDU with header %s", apdu[:4].hex())
            chip.memory.drop()
            chip.session.forget_rights()
            return Response(status=StatusWord.INTERNAL).to_bytes()

    def _answer(self, chip: Inside, apdu: bytes) -> Response:
        try:
            command = Command.parse(apdu)
        except Refused:
            return Response(status=StatusWord.WRONG_LENGTH)
        if command.ins != _GET_RESPONSE:
            chip.session.pending = b""
        instruction = None
        try:
            instruction = self._instruction(chip, command)
            if instruction.outgoing and command.data:
                raise Denied(StatusWord.WRONG_LENGTH)
            if instruction.outgoing and command.le is None:
                command = Command(command.cla, command.ins, command.p1, command.p2, b"", SHORT_ANSWER)
            result = instruction.handler(chip, command)
            answer = result if isinstance(result, Response) else self._deliver(chip, command, result)
        except Denied as denied:
            chip.memory.drop()
            answer = Response(status=denied.status)
        try:
            chip.memory.commit()
            if instruction is not None and instruction.erasing and answer.ok:
                chip.memory.scrub()
        except Refused:
            _log.exception("the virtual chip could not keep its changes")
            chip.session.forget_rights()
            chip.session.pending = b""
            return Response(status=StatusWord.MEMORY_FAILURE)
        return answer

    def _deliver(self, chip: Inside, command: Command, data: bytes) -> Response:
        """As much as Le asks for; the rest, or all when the command had no Le, waits for GET RESPONSE."""
        if not data:
            return Response()
        now = 0 if command.le is None else command.le
        if len(data) <= now:
            return Response(data)
        chip.session.pending = data[now:]
        return Response(data[:now], more(len(data) - now))


def need_layout(memory: CardMemory, own: bytes) -> None:
    """Refused(CHIP_PROFILE_MISMATCH) when the memory was made for another layout."""
    layout = memory.need("profile")
    if layout != own:
        raise Refused(Code.CHIP_PROFILE_MISMATCH, chip=layout.decode("ascii", "replace"), profile=own.decode("ascii"))


def need_length(what: str, value: bytes, length: int) -> None:
    """Refused(CHIP_FORMULA_INPUT) for another length."""
    if len(value) != length:
        raise Refused(Code.CHIP_FORMULA_INPUT, what=what, expected=length, got=len(value))
