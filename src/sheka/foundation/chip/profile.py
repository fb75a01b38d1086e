"""The card profile: one TOML file that says everything about a layout, loaded, checked and typed (card.md; I4, I6).

An authority that owns the official specification swaps in its own file; nothing about a layout stands in code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sheka.foundation.chip.declarations import (
    Application,
    AtrRule,
    BlockingRule,
    FileDeclaration,
    Item,
    KeyDeclaration,
    PinPolicy,
    PurchaseRule,
)
from sheka.foundation.chip.profile_loading import ProfileReader
from sheka.foundation.refusals import Code, Refused

DEFAULT_PROFILE = Path(__file__).parent / "profiles" / "ld_t_32_v2.toml"


@dataclass(frozen=True, slots=True, eq=False)
class CardProfile:
    """A card layout; things are looked up by the names that the TOML gives them. One object per file."""

    name: str
    version: str
    title_zh: str
    title_en: str
    applications: tuple[Application, ...]
    keys: tuple[KeyDeclaration, ...]
    transport: KeyDeclaration
    """The blank chip's transport key; not one of `keys`."""
    pin: PinPolicy
    atr: AtrRule
    purchase: PurchaseRule
    blocking: BlockingRule
    rekeying: str
    """The key that must be authenticated, beside the transport key, before a card in use takes new keys."""
    instructions: Mapping[str, tuple[int, int]]
    """CLA and INS of the commands whose bytes are not public."""
    data_objects: Mapping[str, int]
    """P1 P2 of GET DATA, as one number."""
    version_file: FileDeclaration
    version_item: Item
    identification_file: FileDeclaration
    identification_item: Item
    identification_authority: bytes
    region_padding: int
    other_applications: Mapping[str, bytes]

    def application(self, name: str) -> Application:
        """The application of a name; Refused(CHIP_PROFILE_UNKNOWN) when there is none."""
        for application in self.applications:
            if application.name == name:
                return application
        raise Refused(Code.CHIP_PROFILE_UNKNOWN, what="application", name=name)

    def file(self, path: str) -> FileDeclaration:
        """The file of a path such as `SSSE/EF05`."""
        for application in self.applications:
            for file in application.files:
                if file.path == path:
                    return file
        raise Refused(Code.CHIP_PROFILE_UNKNOWN, what="file", name=path)

    def key(self, name: str) -> KeyDeclaration:
        """The key of a name such as `RK1DF01`."""
        for key in self.keys:
            if key.name == name:
                return key
        raise Refused(Code.CHIP_PROFILE_UNKNOWN, what="key", name=name)

    def keys_of(self, application: str) -> tuple[KeyDeclaration, ...]:
        """The keys that an application declares, in the order of the profile."""
        return tuple(key for key in self.keys if key.application == application)

    @property
    def files(self) -> tuple[FileDeclaration, ...]:
        return tuple(file for application in self.applications for file in application.files)

    def region_factor(self, region: str) -> bytes:
        """The 8-byte diversification factor of a province or city: its six digits in BCD, padded right (local).

        >>> load_profile().region_factor("460100").hex()
        '4601000000000000'
        """
        if len(region) != 6 or not (region.isascii() and region.isdigit()):
            raise Refused(Code.CHIP_PROFILE_UNKNOWN, what="region", name=region)
        return bytes.fromhex(region).ljust(8, bytes([self.region_padding]))

    def card_factor(self, historical: bytes) -> bytes:
        """The card-level factor: the last 8 of the 13 historical bytes T1–TD of the ATR (card.md §4)."""
        if len(historical) != self.atr.historical_bytes:
            raise Refused(
                Code.CHIP_FORMULA_INPUT,
                what="historical bytes",
                expected=self.atr.historical_bytes,
                got=len(historical),
            )
        return historical[self.atr.factor]


def load_profile(path: Path | None = None) -> CardProfile:
    """The profile of a TOML file, by default the V2.0 layout beside this module; read once per path.

    Raises Refused(CHIP_PROFILE_INVALID) with the place and reason of the first thing that is wrong.
    """
    return _load(DEFAULT_PROFILE if path is None else path)


@cache
def _load(path: Path) -> CardProfile:
    reader = ProfileReader(path)
    applications = reader.applications()
    keys = reader.keys(applications)
    version_file, version_item = reader.item_at("version_item", applications)
    identification_file, identification_item = reader.item_at("identification_code", applications)
    profile = CardProfile(
        name=reader.text("profile", "name"),
        version=reader.text("profile", "version"),
        title_zh=reader.text("profile", "title_zh"),
        title_en=reader.text("profile", "title_en"),
        applications=applications,
        keys=keys,
        transport=reader.transport(),
        pin=reader.pin(),
        atr=reader.atr(),
        purchase=reader.purchase(),
        blocking=reader.blocking(),
        rekeying=reader.text("rekeying", "requires"),
        instructions=reader.instructions(),
        data_objects=reader.data_objects(),
        version_file=version_file,
        version_item=version_item,
        identification_file=identification_file,
        identification_item=identification_item,
        identification_authority=reader.hex("identification_code", "authority"),
        region_padding=reader.hex("factors", "padding")[0],
        other_applications=reader.other_applications(),
    )
    reader.check(profile.applications, profile.keys, profile.purchase, profile.blocking, profile.pin, profile.rekeying)
    return profile
