"""The virtual key carrier card: envelopes and shares behind a PIN and secure messaging (K2, K5; profile: local).

There are two banks. New content is written to the free one and becomes the content with one commit at its close, when
the digest of all of it is right: a power cut in between leaves the old content. The PIN travels enciphered; after three
wrong ones the card is locked for good, and what it carries is reached by nobody any more.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.devices import carrier_commands as commands
from sheka.foundation.chip.devices.carrier_state import MUST_CHANGE, PIN, Carrier
from sheka.foundation.chip.devices.device import get_challenge, get_response, select, unknown
from sheka.foundation.chip.devices.profile import SERIAL_BYTES, CarrierProfile
from sheka.foundation.chip.engine import Instruction, VirtualChip, need_layout, need_length
from sheka.foundation.chip.memory import CardMemory
from sheka.foundation.chip.pins import pin_bytes
from sheka.foundation.chip.storage import Storage
from sheka.foundation.crypto.algorithms import KEY_BYTES


class VirtualKeyCarrier(VirtualChip[Carrier]):
    """A key carrier card: a profile of its kind and the memory of one chip."""

    def __init__(
        self, storage: Storage, profile: CarrierProfile, *, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        super().__init__(storage, random=random)
        self._profile = profile
        own = profile.instructions
        self._table: dict[tuple[int, int], Instruction[Carrier]] = {
            (0x00, 0xA4): Instruction(select),
            (0x00, 0x84): Instruction(get_challenge, outgoing=True),
            (0x00, 0xC0): Instruction(get_response, outgoing=True),
            own["get_data"]: Instruction(commands.get_data, outgoing=True),
            own["verify"]: Instruction(commands.verify),
            own["change_pin"]: Instruction(commands.change_pin),
            own["open_content"]: Instruction(commands.open_content),
            own["write_block"]: Instruction(commands.write_block),
            own["close_content"]: Instruction(commands.close_content, erasing=True),
            own["content_state"]: Instruction(commands.content_state),
            own["read_block"]: Instruction(commands.read_block),
            own["erase"]: Instruction(commands.erase, erasing=True),
        }

    @classmethod
    def manufacture(
        cls,
        storage: Storage,
        profile: CarrierProfile,
        *,
        serial: bytes,
        messaging_key: bytes,
        pin_key: bytes,
        random: Callable[[int], bytes] = os.urandom,
    ) -> VirtualKeyCarrier:
        """Make an empty carrier in an empty storage.

        Parameters
        ----------
        serial : 10 bytes BCD.
        messaging_key, pin_key : the card's own SM4 keys, 16 bytes: under the first go the MACs of secure messaging,
            under the second the enciphered PIN.
        """
        need_length("serial", serial, SERIAL_BYTES)
        need_length("messaging key", messaging_key, KEY_BYTES)
        need_length("PIN key", pin_key, KEY_BYTES)
        storage.create(
            {
                "profile": profile.layout,
                "serial": serial,
                "messaging key": messaging_key,
                "pin key": pin_key,
                PIN: pin_bytes(profile.pin, profile.pin.initial),
                MUST_CHANGE: b"\1",
            }
        )
        return cls(storage, profile, random=random)

    def _boot(self, memory: CardMemory) -> Carrier:
        need_layout(memory, self._profile.layout)
        for name in ("serial", PIN):
            memory.need(name)
        memory.scrub()  # what an erasure that was cut off left
        return Carrier(self._profile, memory, self._random)

    def _answer_to_reset(self, memory: CardMemory) -> bytes:
        return self._profile.atr

    def _instruction(self, chip: Carrier, command: Command) -> Instruction[Carrier]:
        found = self._table.get((command.cla, command.ins))
        if found is None:
            raise unknown(command)
        return found
