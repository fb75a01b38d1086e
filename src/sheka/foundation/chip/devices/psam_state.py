"""The inside of a PSAM: its keys by algorithm, id and version, their tries, and what a session holds (K8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sheka.foundation.chip.apdu import Denied, StatusWord
from sheka.foundation.chip.declarations import KeyDeclaration
from sheka.foundation.chip.devices.device import Device, DeviceSession
from sheka.foundation.chip.devices.profile import FACTOR_BYTES, Level, PsamProfile
from sheka.foundation.chip.memory import CardMemory
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.diversify import diversify

VERSIONS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a key lies."""

    declared: KeyDeclaration
    version: int
    algorithm: Algorithm

    @property
    def counter(self) -> str:
        """The counter of tries, one for all versions of a key in an algorithm."""
        return f"{self.algorithm:d}/{self.declared.key_id:02X}"

    @property
    def name(self) -> str:
        return f"key/{self.counter}/{self.version}"


@dataclass(frozen=True, slots=True)
class Purchase:
    """What INIT SAM FOR PURCHASE leaves for CREDIT SAM FOR PURCHASE."""

    slot: Slot
    session_key: bytes = field(repr=False)
    amounts: bytes


@dataclass(slots=True)
class PsamSession(DeviceSession):
    """What the PSAM forgets without power."""

    loading: bytes = b""
    """The challenge under which a transport key was authenticated; empty outside a loading session."""
    loading_algorithm: Algorithm = Algorithm.SM4
    delivered: tuple[Slot, bytes] | None = None
    """The key of DELIVERY KEY, for one CIPHER DATA."""
    purchase: Purchase | None = None

    def forget_rights(self) -> None:
        self.challenge = self.loading = b""
        self.delivered = self.purchase = None


class Psam(Device):
    """One powered PSAM."""

    session: PsamSession

    def __init__(self, profile: PsamProfile, memory: CardMemory, random: Callable[[int], bytes]) -> None:
        super().__init__(profile, memory, random)
        self.profile = profile
        self.session = PsamSession()

    @property
    def terminal(self) -> bytes | None:
        """The terminal number, 6 bytes BCD; None while the PSAM is bound to no terminal."""
        return self.memory.get("terminal")

    @property
    def sequence(self) -> int:
        """The terminal transaction counter: the number of the last purchase begun."""
        return int.from_bytes(self.memory.need("sequence"), "big")

    def slots(self) -> list[Slot]:
        """The keys that were written, in the order of algorithm, id and version."""
        return [
            slot
            for algorithm in Algorithm
            for key_id in sorted(self.profile.keys)
            for version in VERSIONS
            if self.memory.get((slot := Slot(self.profile.keys[key_id], version, algorithm)).name) is not None
        ]

    def slot(self, key_id: int, version: int, algorithm: int) -> Slot:
        """The slot of a written key, version 0 for the newest: 6A88 when there is none."""
        declared = self.profile.keys.get(key_id)
        if declared is None or algorithm not in tuple(Algorithm):
            raise Denied(StatusWord.DATA_NOT_FOUND)
        for wanted in (version,) if version else reversed(VERSIONS):
            slot = Slot(declared, wanted, Algorithm(algorithm))
            if self.memory.get(slot.name) is not None:
                return slot
        raise Denied(StatusWord.DATA_NOT_FOUND)

    def level(self, slot: Slot) -> Level:
        return Level(self.memory.need(slot.name)[0])

    def value(self, slot: Slot) -> bytes:
        """The key itself, 16 bytes."""
        return self.memory.need(slot.name)[1:]

    def put_key(self, slot: Slot, level: Level, value: bytes) -> None:
        self.memory.put(slot.name, bytes((level,)) + value)
        self.memory.put(f"tries/{slot.counter}", bytes((self.profile.retry_limit,)))

    def tries_left(self, slot: Slot) -> int:
        return self.tries(slot.counter, self.profile.retry_limit)

    def derived(self, slot: Slot, factors: bytes) -> bytes:
        """The key behind the factors: exactly 3, 2 or 1 of 8 bytes for a root, province or city key, else 6A80."""
        if len(factors) != FACTOR_BYTES * self.level(slot):
            raise Denied(StatusWord.WRONG_DATA)
        key = self.value(slot)
        for at in range(0, len(factors), FACTOR_BYTES):
            key = diversify(slot.algorithm, key, factors[at : at + FACTOR_BYTES])
        return key
