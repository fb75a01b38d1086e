"""The encryption machine as the keys of one chip (H3, H5); no key leaves it in clear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sheka.foundation.chip.declarations import KeyDeclaration
from sheka.foundation.chip.personalisation import ChipKeys, WantedKey
from sheka.foundation.refusals import Code, Refused

KeyReferences = Mapping[tuple[str, int], str]
"""(name of the key in the profile, version) → the machine's reference of the last-level key."""


class WrappingMachine(Protocol):
    """What is needed of `EncryptionMachine`."""

    def external_authentication(
        self,
        ref: str,
        factors: Sequence[bytes],
        challenges: Sequence[bytes],
        sources: Sequence[bytes] | None = None,
    ) -> list[bytes]: ...

    def internal_authentication(
        self,
        ref: str,
        factors: Sequence[bytes],
        sources: Sequence[bytes],
        process_factors: Sequence[bytes] | None = None,
    ) -> list[bytes]: ...

    def wrap_for_chip(
        self,
        refs: Sequence[str],
        key_ids: Sequence[int],
        versions: Sequence[int],
        factor: bytes,
        kek_ref: str,
        kek_factor: bytes,
        challenge: bytes,
    ) -> list[bytes]: ...


class CardKeys(ChipKeys, Protocol):
    """The keys of one chip while it is made, and of the finished card when it is accepted."""

    def read_cryptogram(self, key: KeyDeclaration, version: int, challenge: bytes) -> bytes:
        """External cryptogram of a read key of the card for its challenge, both 8 bytes."""

    def internal_answer(self, version: int, source: bytes) -> bytes:
        """What the finished card must answer to its own factor and this source, 8 bytes."""


@dataclass(frozen=True, slots=True)
class MachineKeys:
    """The keys of one card in a machine.

    Parameters
    ----------
    references : last-level keys (city), which the machine diversifies by the card factor.
    factor : the card factor, 8 bytes.
    transport : reference of the chip maker's master transport key (WRAP), diversified by the chip serial.
    """

    machine: WrappingMachine
    references: KeyReferences
    factor: bytes
    transport: str
    internal_key: str = "IRK"

    def transport_cryptogram(self, chip_serial: bytes, challenge: bytes) -> bytes:
        """The proof to a blank chip that the machine holds its transport key."""
        return self.machine.external_authentication(self.transport, [chip_serial], [challenge])[0]

    def wrapped_keys(self, chip_serial: bytes, challenge: bytes, wanted: Sequence[WantedKey]) -> list[bytes]:
        """WRITE KEY data of every wanted key, by one call. Refused(CHIP_ORDER_KEYS_MISSING) names those absent."""
        missing = [f"{key.name}/{version}" for key, version in wanted if (key.name, version) not in self.references]
        if missing:
            raise Refused(Code.CHIP_ORDER_KEYS_MISSING, keys=", ".join(missing))
        return self.machine.wrap_for_chip(
            [self.references[key.name, version] for key, version in wanted],
            [key.key_id for key, _ in wanted],
            [version for _, version in wanted],
            self.factor,
            self.transport,
            chip_serial,
            challenge,
        )

    def read_cryptogram(self, key: KeyDeclaration, version: int, challenge: bytes) -> bytes:
        reference = self._reference(key.name, version)
        return self.machine.external_authentication(reference, [self.factor], [challenge])[0]

    def internal_answer(self, version: int, source: bytes) -> bytes:
        reference = self._reference(self.internal_key, version)
        return self.machine.internal_authentication(reference, [self.factor], [source])[0]

    def _reference(self, name: str, version: int) -> str:
        try:
            return self.references[name, version]
        except KeyError:
            raise Refused(Code.CHIP_ORDER_KEYS_MISSING, keys=f"{name}/{version}") from None
