"""What the encryption machine and its callers speak about: keys, usages, verbs, findings (H5, K1-K3, K6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum, unique

from sheka.foundation.crypto.algorithms import Algorithm


@unique
class Usage(StrEnum):
    """What a key is for. Set when the key is made, never changed; a verb of another usage is refused.

    DIVERSIFY is a root, provincial or city key from which further keys are derived. The other four are working keys:
    the last level before the card (their verbs diversify by the card's factor on the way) or keys used as they are.
    """

    DIVERSIFY = "DIVERSIFY"
    MAC = "MAC"
    ENCRYPT = "ENCRYPT"
    WRAP = "WRAP"
    AUTHENTICATE = "AUTHENTICATE"


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
    VERIFY_TACS = 40
    MAC1 = 41
    VERIFY_MAC2 = 42
    PUBLIC_KEY = 50
    SIGN = 51
    EXPORT_ENVELOPE = 52
    IMPORT_ENVELOPE = 53
    REGISTER_PEER = 54
    PEERS = 55
    REMOVE_PEER = 56
    VERIFY_LOG = 60
    LOG = 61


CHANGING: frozenset[Verb] = frozenset(
    {Verb.GENERATE, Verb.DERIVE, Verb.DESTROY, Verb.EXPORT_ENVELOPE, Verb.IMPORT_ENVELOPE}
    | {Verb.REGISTER_PEER, Verb.REMOVE_PEER}
)
"""Verbs that change keys or peers, or let a key leave in an envelope: each is written to the machine's log before it
answers, and a client never repeats one by itself."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be known about a key: everything but the key.

    `check_value` is upper-case hex (6 characters 3DES, 8 SM4). `parent` is the ref of the key it was derived from in
    this machine, `factor` the factor as hex, both empty for generated and imported keys. Times are UTC, ISO 8601.
    `destroyed` is empty while the key lives. `diversified` keys work only through a factor, the others only as they are
    (WRAP keys: both). `origin` is "generated", "derived" or "imported".
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


@dataclass(frozen=True, slots=True)
class MachineInfo:
    """What the machine says about itself.

    `certificate` is the product type certificate (K4); the software machine has none (empty), so it is for development,
    demonstration and test only. `log_head` is the SM3 head of the log (hex): keep it outside to see a cut tail.
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
