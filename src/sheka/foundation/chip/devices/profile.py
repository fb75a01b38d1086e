"""The profiles of PSAM and key carrier cards: one TOML file each, loaded, checked and typed (K5, K8; card.md §6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from sheka.foundation.chip.declarations import KeyDeclaration, PinPolicy
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.chip.profile_loading import ProfileReader
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

PROFILES = Path(__file__).parent.parent / "profiles"
SERIAL_BYTES = 10
FACTOR_BYTES = 8


class DeviceKind(StrEnum):
    """The kinds of chips that hold keys for others; the value names the profile."""

    TRANSMISSION_KEY_CARD = "transmission_key_card"
    """Carries keys, in envelopes, from one machine to the next (K2)."""
    KEY_MOTHER_CARD = "key_mother_card"
    """Keeps a level's keys for the loading of others (K5)."""
    MASTER_KEY_CARD = "master_key_card"
    """Keeps a custodian's share or component (K5, K6)."""
    PSAM = "psam"
    """The security module of a terminal (K8)."""


class Level(IntEnum):
    """Where a PSAM's key stands; the value is the number of factors that lead from it to the card (card.md §6)."""

    CITY = 1
    PROVINCE = 2
    ROOT = 3


class Mode(StrEnum):
    """What CIPHER DATA does with a delivered key."""

    ENCRYPT = "encrypt"
    MAC = "mac"
    EXTERNAL = "external"
    CHECK_INTERNAL = "check_internal"


@dataclass(frozen=True, slots=True, eq=False)
class DeviceProfile:
    """What the layouts of PSAM and carriers have in common. One object per file."""

    name: str
    version: str
    kind: DeviceKind
    title_zh: str
    title_en: str
    aid: bytes
    atr: bytes
    serial_prefix: bytes
    instructions: Mapping[str, tuple[int, int]]
    """CLA and INS by the command's name."""
    data_objects: Mapping[str, int]
    """P1 P2 of GET DATA, as one number."""

    @property
    def layout(self) -> bytes:
        """What a chip remembers of the layout that it was made for."""
        return f"{self.name}/{self.version}".encode("ascii")

    def serial(self, count: int) -> bytes:
        """The serial of the chip of that count: prefix ‖ count, BCD, 10 bytes."""
        digits = 2 * (SERIAL_BYTES - len(self.serial_prefix))
        text = f"{count:0{digits}d}"
        if len(text) != digits:
            raise Refused(Code.CHIP_FORMULA_INPUT, what="serial", expected=digits, got=len(text))
        return self.serial_prefix + bytes.fromhex(text)


@dataclass(frozen=True, slots=True, eq=False)
class PsamProfile(DeviceProfile):
    """The layout of a PSAM."""

    serial_file: int
    terminal_file: int
    transport: Mapping[Algorithm, int]
    """Key ids of the transport keys."""
    transport_retry_limit: int
    modes: Mapping[int, Mode]
    """By P1 of CIPHER DATA."""
    keys: Mapping[int, KeyDeclaration]
    """By key id: what the card profile says about the keys that a PSAM may hold."""
    retry_limit: int
    purchase: KeyDeclaration

    def key(self, name: str) -> KeyDeclaration:
        """The key of a name such as `RK1DF01`; Refused(CHIP_PROFILE_UNKNOWN)."""
        for key in self.keys.values():
            if key.name == name:
                return key
        raise Refused(Code.CHIP_PROFILE_UNKNOWN, what="key", name=name)


@dataclass(frozen=True, slots=True, eq=False)
class CarrierProfile(DeviceProfile):
    """The layout of a key carrier card."""

    pin: PinPolicy
    files: int
    file_bytes: int


PSAM_INSTRUCTIONS = (
    "delivery_key",
    "cipher_data",
    "init_sam_for_purchase",
    "credit_sam_for_purchase",
    "get_data",
    "write_key",
    "remove_key",
    "set_terminal",
    "erase",
)
CARRIER_INSTRUCTIONS = (
    "get_data",
    "verify",
    "change_pin",
    "open_content",
    "write_block",
    "close_content",
    "content_state",
    "read_block",
    "erase",
)


class _Reader(ProfileReader):
    """One TOML file of a device; what is not as it must be is refused with CHIP_PROFILE_INVALID and its place."""

    def common(self, instructions: tuple[str, ...], data_objects: tuple[str, ...]) -> dict[str, Any]:
        """The arguments of `DeviceProfile`."""
        prefix = self.hex("device", "serial_prefix")
        if len(prefix) >= SERIAL_BYTES or not prefix.hex().isdigit():
            self.fail("device: serial_prefix")
        return {
            "name": self.text("profile", "name"),
            "version": self.text("profile", "version"),
            "kind": self._one_of(DeviceKind, self._section("profile"), "kind", "profile"),
            "title_zh": self.text("profile", "title_zh"),
            "title_en": self.text("profile", "title_en"),
            "aid": self.hex("device", "aid"),
            "atr": self._atr(),
            "serial_prefix": prefix,
            "instructions": self._instructions(instructions),
            "data_objects": {name: int.from_bytes(self.hex("data_objects", name), "big") for name in data_objects},
        }

    def psam(self) -> PsamProfile:
        holding, files = self._section("holding"), self._section("files")
        card = load_profile(self.path.parent / self._text(holding, "card_profile", "holding"))
        held = [card.key(name) for name in holding["keys"]]
        self._unique("key id", [key.key_id for key in held])
        purchase = card.key(self._text(holding, "purchase", "holding"))
        if purchase not in held:
            self.fail("holding: the purchase key is not among the keys")
        modes = {self._byte(self._section("modes"), mode, "modes"): mode for mode in Mode}
        if len(modes) != len(Mode):
            self.fail("modes: two with the same byte")
        return PsamProfile(
            **self.common(PSAM_INSTRUCTIONS, ("state", "keys")),
            serial_file=self._sfi(files, "serial", "files"),
            terminal_file=self._sfi(files, "terminal", "files"),
            transport={a: self._byte(self._section("transport"), a.name, "transport") for a in Algorithm},
            transport_retry_limit=self._limit(self._section("transport"), "transport"),
            modes=modes,
            keys={key.key_id: key for key in held},
            retry_limit=self._limit(holding, "holding"),
            purchase=purchase,
        )

    def carrier(self) -> CarrierProfile:
        row, content = self._section("pin"), self._section("content")
        half = self._number(row, "digits", "pin") // 2
        pin = PinPolicy(
            application="MF",
            minimum_bytes=half,
            maximum_bytes=half,
            default_digits=2 * half,
            retry_limit=self._limit(row, "pin"),
            initial=self._text(row, "initial", "pin"),
            initial_must_be_changed=True,
            initial_status=int.from_bytes(self._hex(row, "initial_status", "pin"), "big"),
            reload_must_be_changed=True,
        )
        files, size = self._number(content, "files", "content"), self._number(content, "file_bytes", "content")
        if len(pin.initial) != pin.default_digits or not pin.initial.isdigit():
            self.fail("pin: the initial PIN")
        if files > 0xFE or size > 0xFFFF:
            self.fail("content: at most 254 files of at most 65535 bytes")
        return CarrierProfile(
            **self.common(CARRIER_INSTRUCTIONS, ("serial", "state")), pin=pin, files=files, file_bytes=size
        )

    def _atr(self) -> bytes:
        """3B 6n TB1 TC1 and n historical bytes (ISO/IEC 7816-3 §8.2)."""
        atr = self.hex("device", "atr")
        if len(atr) < 4 or atr[0] != 0x3B or atr[1] >> 4 != 6 or len(atr) != 4 + (atr[1] & 0x0F):
            self.fail("device: the ATR's form")
        return atr

    def _instructions(self, names: tuple[str, ...]) -> Mapping[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for name in names:
            code = self.hex("instructions", name)
            if len(code) != 2 or code[0] not in (0x80, 0x84) or (code[0], code[1]) in found.values():
                self.fail(f"instructions: {name} must be class 80 or 84 and one instruction byte of its own")
            found[name] = (code[0], code[1])
        return found


@cache
def psam_profile(path: Path = PROFILES / "psam.toml") -> PsamProfile:
    """The profile of a PSAM, read once per path; Refused(CHIP_PROFILE_INVALID) with the first thing that is wrong."""
    return _Reader(path).psam()


@cache
def carrier_profile(kind: DeviceKind, folder: Path = PROFILES) -> CarrierProfile:
    """The profile of a kind of key carrier card, read once."""
    return _Reader(folder / f"{kind}.toml").carrier()


def device_profile(kind: DeviceKind) -> PsamProfile | CarrierProfile:
    """The profile of any kind."""
    return psam_profile() if kind is DeviceKind.PSAM else carrier_profile(kind)
