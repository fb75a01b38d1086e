"""The virtual PSAM: a terminal's security module; it holds keys of any level and uses them (K8, H4; card.md §6).

A key at level L needs exactly 3, 2 or 1 factors on the way to the card. A key does what its purpose says and nothing
else; an internal authentication is compared inside, so that a PSAM never tells what a genuine card would answer. The
terminal transaction counter is kept before MAC1 leaves and never goes back, not even when keys are erased.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.devices import psam_commands as commands
from sheka.foundation.chip.devices.device import get_challenge, get_response, select, unknown
from sheka.foundation.chip.devices.profile import SERIAL_BYTES, PsamProfile, psam_profile
from sheka.foundation.chip.devices.psam_state import Psam
from sheka.foundation.chip.engine import Instruction, VirtualChip, need_layout, need_length
from sheka.foundation.chip.memory import CardMemory
from sheka.foundation.chip.storage import Storage
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm


class VirtualPsam(VirtualChip[Psam]):
    """A PSAM: a profile and the memory of one chip."""

    def __init__(
        self, storage: Storage, profile: PsamProfile | None = None, *, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        super().__init__(storage, random=random)
        self._profile = profile or psam_profile()
        own = self._profile.instructions
        self._table: dict[tuple[int, int], Instruction[Psam]] = {
            (0x00, 0xA4): Instruction(select),
            (0x00, 0xB0): Instruction(commands.read_binary, outgoing=True),
            (0x00, 0x84): Instruction(get_challenge, outgoing=True),
            (0x00, 0xC0): Instruction(get_response, outgoing=True),
            (0x00, 0x82): Instruction(commands.external_authenticate),
            own["get_data"]: Instruction(commands.get_data, outgoing=True),
            own["write_key"]: Instruction(commands.write_key),
            own["remove_key"]: Instruction(commands.remove_key, erasing=True),
            own["set_terminal"]: Instruction(commands.set_terminal),
            own["erase"]: Instruction(commands.erase, erasing=True),
            own["delivery_key"]: Instruction(commands.delivery_key),
            own["cipher_data"]: Instruction(commands.cipher_data),
            own["init_sam_for_purchase"]: Instruction(commands.init_sam_for_purchase),
            own["credit_sam_for_purchase"]: Instruction(commands.credit_sam_for_purchase),
        }

    @classmethod
    def manufacture(
        cls,
        storage: Storage,
        *,
        serial: bytes,
        transport_keys: Mapping[Algorithm, bytes],
        profile: PsamProfile | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> VirtualPsam:
        """Make a blank PSAM in an empty storage.

        Parameters
        ----------
        serial : 10 bytes BCD.
        transport_keys : KT of this PSAM for each algorithm, 16 bytes each.
        """
        profile = profile or psam_profile()
        need_length("serial", serial, SERIAL_BYTES)
        content = {"profile": profile.layout, "serial": serial, "sequence": bytes(4)}
        for algorithm in Algorithm:
            need_length("transport key", transport_keys[algorithm], KEY_BYTES)
            content[f"transport/{algorithm:d}"] = transport_keys[algorithm]
        storage.create(content)
        return cls(storage, profile, random=random)

    def _boot(self, memory: CardMemory) -> Psam:
        need_layout(memory, self._profile.layout)
        for name in ("serial", "sequence"):
            memory.need(name)
        memory.scrub()  # what an erasure that was cut off left
        return Psam(self._profile, memory, self._random)

    def _answer_to_reset(self, memory: CardMemory) -> bytes:
        return self._profile.atr

    def _instruction(self, chip: Psam, command: Command) -> Instruction[Psam]:
        found = self._table.get((command.cla, command.ins))
        if found is None:
            raise unknown(command)
        return found
