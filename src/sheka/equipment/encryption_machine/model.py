"""What the encryption machine and its callers speak about: keys, usages, verbs, findings (H5, K1-K3, K6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum, unique

from sheka.foundation.crypto.algorithms import Algorithm


@unique
class Usage(StrEnum):
    """What a key is for. Set when the key is made, never changed; a verb of another usage is refused.

    DIVERSIFY is a root, provincial or city key from which further keys are derived. The others are working keys:
    the last level before the card (their verbs diversify by the card's factor on the way) or keys used as they are.
    Three serve the line to institutions (S4): LINE and PIN are roots of the lines' MAC and PIN keys, of which each is
    the child by a factor of its own; PIN_VALUE makes what is kept of a card's PIN, under the card's factor. PIN_ZONE is
    shared by two machines: under its children PIN blocks go from the one to the other, and nothing else does.
    """

    DIVERSIFY = "DIVERSIFY"
    MAC = "MAC"
    ENCRYPT = "ENCRYPT"
    WRAP = "WRAP"
    AUTHENTICATE = "AUTHENTICATE"
    LINE = "LINE"
    PIN = "PIN"
    PIN_VALUE = "PIN_VALUE"
    PIN_ZONE = "PIN_ZONE"


@unique
class Verb(IntEnum):
    """Every verb of the machine by its number on the line; a number is never used for a second meaning."""

    DESCRIBE = 1
    LIST_KEYS = 2
    KEY = 3
    GENERATE = 10
    DERIVE = 11
    DESTROY = 12
    CHECK_VALUES = 20
    CRYPTOGRAMS = 21
    INTERNAL_AUTHENTICATION = 22
    EXTERNAL_AUTHENTICATION = 23
    CARD_AUTHENTICATION_CODES = 24
    MACS = 25
    VERIFY_MACS = 26
    VERIFY_DIVERSIFIED_MACS = 27
    MACS_OF = 28
    WRAP_FOR_CHIPS = 30
    WRAP_FOR_CHIP = 31
    WRAP_DIVERSIFIED = 32
    WRAP_FOR_LINE = 33
    VERIFY_TACS = 40
    MAC1 = 41
    VERIFY_MAC2 = 42
    VERIFY_MAC1 = 43
    PIN_VALUES = 44
    VERIFY_PINS = 45
    TRANSLATE_PINS = 46
    PUBLIC_KEY = 50
    SIGN = 51
    EXPORT_ENVELOPE = 52
    IMPORT_ENVELOPE = 53
    REGISTER_PEER = 54
    PEERS = 55
    REMOVE_PEER = 56
    VERIFY_LOG = 60
    LOG = 61
    ENTRY_KEY = 70
    UNSEAL = 71
    SEAL = 72
    SHARE_OUT = 73
    CONFIRM_SHARES = 74
    BACK_UP = 75
    RESTORE = 76
    BEGIN_COMPONENTS = 80
    ENTER_COMPONENT = 81
    FINISH_COMPONENTS = 82
    CANCEL_COMPONENTS = 83
    GENERATE_COMPONENTS = 84


CHANGING: frozenset[Verb] = frozenset(
    {Verb.GENERATE, Verb.DERIVE, Verb.DESTROY, Verb.EXPORT_ENVELOPE, Verb.IMPORT_ENVELOPE}
    | {Verb.REGISTER_PEER, Verb.REMOVE_PEER}
    | {Verb.UNSEAL, Verb.SEAL, Verb.SHARE_OUT, Verb.CONFIRM_SHARES, Verb.BACK_UP, Verb.RESTORE}
    | {Verb.BEGIN_COMPONENTS, Verb.ENTER_COMPONENT, Verb.FINISH_COMPONENTS, Verb.CANCEL_COMPONENTS}
    | {Verb.GENERATE_COMPONENTS}
)
"""Verbs that change keys, peers or the seal, or let a key or share leave sealed: each is written to the machine's log
before it answers, and a client never repeats one by itself."""

WHILE_SEALED: frozenset[Verb] = frozenset({Verb.DESCRIBE, Verb.ENTRY_KEY, Verb.UNSEAL})
"""What a sealed machine answers; a new one (no seal yet) also takes SHARE_OUT, CONFIRM_SHARES and RESTORE."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be known about a key: everything but the key.

    `check_value` is upper-case hex (6 characters 3DES, 8 SM4). `parent` is the ref of the key it was derived from in
    this machine, `factor` the factor as hex, both empty for generated and imported keys. Times are UTC, ISO 8601.
    `destroyed` is empty while the key lives. `diversified` keys work only through a factor, the others only as they are
    (WRAP keys: both). `origin` is "generated", "derived", "imported" or "entered" (by components). `movable`: a
    DIVERSIFY key made here that may leave all the same, into a national PSAM or onto a key mother card (K2, K8).
    """

    ref: str
    name: str
    algorithm: Algorithm
    usage: Usage
    version: int
    owner: str
    check_value: str
    parent: str = ""
    factor: str = ""
    created: str = ""
    destroyed: str = ""
    origin: str = "generated"
    diversified: bool = False
    movable: bool = False


@dataclass(frozen=True, slots=True)
class MachineInfo:
    """What the machine says about itself.

    `certificate` is the product type certificate (K4); the software machine has none (empty), so it is for development,
    demonstration and test only. `log_head` is the SM3 head of the log (hex): keep it outside to see a cut tail.

    `sealed`: only unsealing works now; then `fingerprint` and `log_head` are empty and `keys` is 0. `threshold` of
    `holders` custodians unseal it (both 0: opened by a sealing secret, or new); `presented` shares are there,
    those of the holders in `came` (1, 2 …). `driver` is "software" or "pkcs11", `algorithms` the names it knows.
    """

    product: str
    version: str
    certificate: str
    fingerprint: str
    keys: int
    log_entries: int
    log_head: str
    refused_logins: int
    started: str
    sealed: bool = False
    threshold: int = 0
    holders: int = 0
    presented: int = 0
    came: tuple[int, ...] = ()
    driver: str = "software"
    algorithms: tuple[str, ...] = ()


@unique
class PinFinding(IntEnum):
    """What the machine says of a PIN block: right, wrong, or no PIN block at all under this key."""

    RIGHT = 0
    WRONG = 1
    NO_BLOCK = 2


@dataclass(frozen=True, slots=True)
class EntryKey:
    """A one-time key for one sealed entry: its id (16 bytes) and public P-256 key (65 bytes); good for ten minutes."""

    id: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Progress:
    """How far unsealing has come: `presented` of the `needed` shares are there; `sealed` False: the machine is open."""

    presented: int
    needed: int
    sealed: bool


@dataclass(frozen=True, slots=True)
class SharesOffered:
    """Shares of a new sealing secret, each sealed to its receiver; in force only once `set` (8 bytes) is confirmed."""

    set: bytes
    sealed: list[bytes]


@dataclass(frozen=True, slots=True)
class Backup:
    """A back-up: the wrapped store as one piece, and the shares that open it, each sealed to its receiver."""

    content: bytes
    shares: list[bytes]


@dataclass(frozen=True, slots=True)
class Peer:
    """Another machine whose SM2 public key (65 bytes, hex) is registered here. `owner` empty: any owner's keys."""

    name: str
    public_key: str
    owner: str


@dataclass(frozen=True, slots=True)
class LogFinding:
    """Result of checking the machine's log: `broken_at` is the first bad entry (0 when none), `reason` says why."""

    ok: bool
    entries: int
    head: str
    broken_at: int
    reason: str
