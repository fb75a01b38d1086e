"""What a card profile declares: applications, files, items, keys, access rules (card.md §1–§3, §6; I4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sheka.foundation.terms import Term

MASTER_FILE = "MF"


class Encoding(StrEnum):
    """How an item's value becomes bytes (card.md §1)."""

    AN = "an"
    """Text in GBK, left-aligned, padded right with 00."""
    GB18030 = "gb18030"
    """As `an`, in GB18030: for what GBK cannot hold (the name extension)."""
    CN = "cn"
    """Digits in BCD, left-aligned, padded right with nibble F."""
    B = "b"
    """Binary of exactly the declared length."""
    CONSTRUCTED = "constructed"
    """A sequence of tag 1 ‖ length 1 ‖ value, one for each part."""


class Format(StrEnum):
    """A closer form of a `cn` item."""

    FREE = "free"
    HEX = "hex"
    """All nibbles are significant and may be A–F (the card identification code)."""
    DATE = "date"
    """YYYYMMDD, a day that exists."""
    TIME = "time"
    """YYYYMMDDhhmmss."""
    ETHNIC_GROUP = "ethnic_group"
    """01–56, or 99 (card.md §3)."""


class FileKind(StrEnum):
    """Structures of elementary files (card.md §1)."""

    VARIABLE = "variable"
    FIXED = "fixed"
    TRANSPARENT = "transparent"
    CYCLIC = "cyclic"

    @property
    def has_tlv_records(self) -> bool:
        """Whether records are tag 1 ‖ length 1 ‖ value; the record's place is fixed by the profile."""
        return self in (FileKind.VARIABLE, FileKind.FIXED)


class Purpose(StrEnum):
    """What a key of the card is for; a key does nothing else (card.md §6)."""

    INTERNAL = "internal"
    READ = "read"
    UPDATE = "update"
    UNBLOCK = "unblock"
    MAC = "mac"
    LOCK_CARD = "lock_card"
    LOCK_APPLICATION = "lock_application"
    PURCHASE = "purchase"
    TAC = "tac"
    LOAD = "load"
    AMOUNT = "amount"
    TRANSPORT = "transport"

    @property
    def authenticates_externally(self) -> bool:
        """Whether EXTERNAL AUTHENTICATE may name a key of this purpose."""
        return self in _EXTERNAL


_EXTERNAL = frozenset(
    (
        Purpose.READ,
        Purpose.UPDATE,
        Purpose.UNBLOCK,
        Purpose.LOCK_CARD,
        Purpose.LOCK_APPLICATION,
        Purpose.TRANSPORT,
    )
)


class Owner(StrEnum):
    """The level that generates a key (K2, K3)."""

    MINISTRY = "ministry"
    PROVINCE = "province"
    CITY = "city"
    CHIP_MAKER = "chip_maker"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who may use a file: "free", "card", "PIN", a key's name, "PIN or KEY", "PIN and KEY" (card.md §2)."""

    text: str
    free: bool = False
    card_only: bool = False
    pin: bool = False
    key: str | None = None
    both: bool = False

    @staticmethod
    def parse(text: str) -> AccessRule:
        """The rule of its text; ValueError when it has none of the forms above."""
        match text.split(" "):
            case ["free"]:
                return AccessRule(text, free=True)
            case ["card"]:
                return AccessRule(text, card_only=True)
            case ["PIN"]:
                return AccessRule(text, pin=True)
            case ["PIN", "or" | "and" as word, key] if key.isidentifier():
                return AccessRule(text, pin=True, key=key, both=word == "and")
            case [key] if key.isidentifier():
                return AccessRule(text, key=key)
        raise ValueError(f"no access rule: {text!r}")

    def allows(self, *, pin_verified: bool, key_authenticated: bool) -> bool:
        """The truth table. A rule that only the card's own commands satisfy never allows a terminal anything."""
        if self.free:
            return True
        if self.card_only:
            return False
        proofs = [proof for asked, proof in ((self.pin, pin_verified), (self.key, key_authenticated)) if asked]
        return all(proofs) if self.both else any(proofs)


@dataclass(frozen=True, slots=True)
class Item:
    """A data item: tag (0 for a field of a cyclic record), encoding, length of the value in bytes."""

    name: str
    tag: int
    encoding: Encoding
    length: int
    zh: str
    en: str
    count: int = 1
    """How many records of the file carry this tag (×n of the notice)."""
    format: Format = Format.FREE
    values: tuple[str, ...] = ()
    """The code list, empty where the profile names none."""
    parts: tuple[Item, ...] = ()
    example: str = ""

    @property
    def record_bytes(self) -> int:
        """Length of the record: tag 1 ‖ length 1 ‖ value."""
        return 2 + self.length

    @property
    def term(self) -> Term:
        """The item's name in both languages."""
        return Term(self.zh, self.en)


@dataclass(frozen=True, slots=True)
class FileDeclaration:
    """An elementary file of an application."""

    application: str
    name: str
    fid: bytes
    sfi: int
    kind: FileKind
    zh: str
    en: str
    read: AccessRule
    write: AccessRule
    read_by_version: Mapping[str, AccessRule]
    items: tuple[Item, ...]
    slots: tuple[Item, ...]
    """Record files: the item of record 1, 2, …; an item with count 3 stands three times."""
    size: int
    """Transparent files: bytes. Cyclic files: bytes of one record. Else 0."""
    records: int
    """Cyclic files: how many records are kept. Record files: how many there are."""
    extending: bool
    """A reserved file that an area may use for its own data; its keys belong to the province or city."""
    example: str
    local: frozenset[str]

    @property
    def path(self) -> str:
        """`SSSE/EF05`: the file's name in data, plans and refusals."""
        return f"{self.application}/{self.name}"

    def item(self, name: str) -> Item | None:
        return next((item for item in self.items if item.name == name), None)


@dataclass(frozen=True, slots=True)
class Application:
    """A dedicated file: the SSSE or one of DF01 to DF07, or a local one from DF0A up."""

    name: str
    parent: str
    fid: bytes
    aid: bytes
    """Empty where the application is selected by its FID only."""
    directory_sfi: int
    zh: str
    en: str
    files: tuple[FileDeclaration, ...]
    local: frozenset[str]


@dataclass(frozen=True, slots=True)
class KeyDeclaration:
    """A key of the card: where it lies, what it is for, who generates it (card.md §6; K2, K3)."""

    name: str
    application: str
    key_id: int
    purpose: Purpose
    owner: Owner
    versions: tuple[int, ...]
    retry_limit: int
    local: frozenset[str]
    """Fields that are our own choice: "id", "owner", "retry_limit"."""


@dataclass(frozen=True, slots=True)
class PinPolicy:
    """The one PIN of the card (card.md §5)."""

    application: str
    minimum_bytes: int
    maximum_bytes: int
    default_digits: int
    retry_limit: int
    initial: str
    initial_must_be_changed: bool
    initial_status: int
    reload_must_be_changed: bool


@dataclass(frozen=True, slots=True)
class AtrRule:
    """The answer to reset: where region, serial and diversification factor stand in its historical bytes."""

    prefix: bytes
    historical_bytes: int
    blank_historical: bytes
    region: slice
    serial: slice
    factor: slice


@dataclass(frozen=True, slots=True)
class PurchaseRule:
    """Where the medical purchase finds its keys and its log, and what it asks for first."""

    application: str
    log: str
    session_key: str
    tac_key: str
    requires: AccessRule


@dataclass(frozen=True, slots=True)
class BlockingRule:
    """Which keys the blocking and PIN commands need: one authenticated, one that signs."""

    mac: str
    application: str
    card: str
    pin: str
