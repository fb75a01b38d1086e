"""The verbs' arguments and answers on the line: one table that both clients and the machine read (H5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sheka.equipment.encryption_machine.model import (
    Backup,
    EntryKey,
    KeyInfo,
    LogFinding,
    MachineInfo,
    Peer,
    Progress,
    SharesOffered,
    Usage,
    Verb,
)
from sheka.equipment.encryption_machine.wire import (
    BATCH,
    BLOB,
    BLOBS,
    BOOLS,
    OCTETS,
    OPTIONAL_BATCH,
    TEXT,
    TEXTS,
    U8,
    U16,
    U32,
    Codec,
    listed,
    record,
)
from sheka.foundation.crypto.algorithms import Algorithm


def _key_info(*, algorithm: int, usage: str, diversified: int, movable: int, **rest: Any) -> KeyInfo:
    rest |= {"diversified": bool(diversified), "movable": bool(movable)}
    return KeyInfo(algorithm=Algorithm(algorithm), usage=Usage(usage), **rest)


def _machine_info(*, sealed: int, algorithms: list[str], **rest: Any) -> MachineInfo:
    return MachineInfo(sealed=bool(sealed), algorithms=tuple(algorithms), **rest)


def _progress(*, sealed: int, **rest: Any) -> Progress:
    return Progress(sealed=bool(sealed), **rest)


def _finding(*, ok: int, **rest: Any) -> LogFinding:
    return LogFinding(ok=bool(ok), **rest)


KEY_INFO = record(
    _key_info,
    ref=TEXT,
    name=TEXT,
    algorithm=U8,
    usage=TEXT,
    version=U16,
    owner=TEXT,
    check_value=TEXT,
    parent=TEXT,
    factor=TEXT,
    created=TEXT,
    destroyed=TEXT,
    origin=TEXT,
    diversified=U8,
    movable=U8,
)
MACHINE_INFO = record(
    _machine_info,
    product=TEXT,
    version=TEXT,
    certificate=TEXT,
    fingerprint=TEXT,
    keys=U32,
    log_entries=U32,
    log_head=TEXT,
    refused_logins=U32,
    started=TEXT,
    sealed=U8,
    threshold=U8,
    holders=U8,
    presented=U8,
    came=OCTETS,
    driver=TEXT,
    algorithms=TEXTS,
)
ENTRY_KEY = record(EntryKey, id=BLOB, public_key=BLOB)
PROGRESS = record(_progress, presented=U8, needed=U8, sealed=U8)
SHARES = record(SharesOffered, set=BLOB, sealed=BLOBS)
BACKUP = record(Backup, content=BLOB, shares=BLOBS)
PEER = record(Peer, name=TEXT, public_key=TEXT, owner=TEXT)
FINDING = record(_finding, ok=U8, entries=U32, head=TEXT, broken_at=U32, reason=TEXT)


@dataclass(frozen=True, slots=True)
class Call:
    """What one verb takes, in order, and what it answers."""

    takes: tuple[Codec, ...]
    gives: Codec


CALLS: dict[Verb, Call] = {
    Verb.DESCRIBE: Call((), MACHINE_INFO),
    Verb.LIST_KEYS: Call((), listed(KEY_INFO)),
    Verb.KEY: Call((TEXT,), KEY_INFO),
    # name, algorithm, usage, version, owner, diversified, movable
    Verb.GENERATE: Call((TEXT, U8, TEXT, U16, TEXT, U8, U8), KEY_INFO),
    # parent ref, factor, name, owner, usage, version, diversified
    Verb.DERIVE: Call((TEXT, BLOB, TEXT, TEXT, TEXT, U16, U8), KEY_INFO),
    Verb.DESTROY: Call((TEXT,), KEY_INFO),
    # ref, factors
    Verb.CHECK_VALUES: Call((TEXT, BATCH), BATCH),
    # ref, factors, data
    Verb.CRYPTOGRAMS: Call((TEXT, OPTIONAL_BATCH, BATCH), BATCH),
    # ref, card factors, sources, process factors
    Verb.INTERNAL_AUTHENTICATION: Call((TEXT, BATCH, BATCH, OPTIONAL_BATCH), BATCH),
    # ref, card factors, challenges, sources
    Verb.EXTERNAL_AUTHENTICATION: Call((TEXT, BATCH, BATCH, OPTIONAL_BATCH), BATCH),
    # ref, factors, first 12 bytes of the identification codes
    Verb.CARD_AUTHENTICATION_CODES: Call((TEXT, BATCH, BATCH), BATCH),
    # ref, factors, messages, initial vectors
    Verb.MACS: Call((TEXT, OPTIONAL_BATCH, BATCH, OPTIONAL_BATCH), BATCH),
    # distinct refs, each item's place among them (2 bytes each), messages
    Verb.MACS_OF: Call((TEXTS, BLOB, BATCH), BATCH),
    # the same, MACs
    Verb.VERIFY_MACS: Call((TEXTS, BLOB, BATCH, BATCH), BOOLS),
    # ref, factors, messages, MACs, initial vectors
    Verb.VERIFY_DIVERSIFIED_MACS: Call((TEXT, OPTIONAL_BATCH, BATCH, BATCH, OPTIONAL_BATCH), BOOLS),
    # refs, card factors, transport key ref, chip serials
    Verb.WRAP_FOR_CHIPS: Call((TEXTS, BATCH, TEXT, OPTIONAL_BATCH), BATCH),
    # refs, key ids (a byte each), key versions (a byte each), card factor, transport key ref, chip serial, challenge
    Verb.WRAP_FOR_CHIP: Call((TEXTS, BLOB, BLOB, BLOB, TEXT, BLOB, BLOB), BATCH),
    # ref, factors (8 bytes each), wrapping key ref, its factor
    Verb.WRAP_DIVERSIFIED: Call((TEXT, BLOB, TEXT, BLOB), BLOB),
    # ref, factors of the lines' keys, wrapping key ref
    Verb.WRAP_FOR_LINE: Call((TEXT, BATCH, TEXT), BATCH),
    # ref, card factors, signed data (30 bytes each), TACs
    Verb.VERIFY_TACS: Call((TEXT, BATCH, BATCH, BATCH), BOOLS),
    # ref, card factors, session inputs (8 bytes each), settlements (26 bytes each)
    Verb.MAC1: Call((TEXT, BATCH, BATCH, BATCH), BATCH),
    # ref, card factors, session inputs (8 bytes each), amounts (12 bytes each), MACs
    Verb.VERIFY_MAC2: Call((TEXT, BATCH, BATCH, BATCH, BATCH), BOOLS),
    # ref, card factors, session inputs (8 bytes each), settlements (26 bytes each), MACs
    Verb.VERIFY_MAC1: Call((TEXT, BATCH, BATCH, BATCH, BATCH), BOOLS),
    # ref of the PIN keys, their factors, PIN blocks, account digits (12 each), ref of the value key, card factors
    Verb.PIN_VALUES: Call((TEXT, BATCH, BATCH, BATCH, TEXT, BATCH), BATCH),
    # the same, values (4 bytes each)
    Verb.VERIFY_PINS: Call((TEXT, BATCH, BATCH, BATCH, TEXT, BATCH, BATCH), OCTETS),
    # ref of the PIN keys, their factors, PIN blocks, account digits (12 each), ref of the zone key, its factors
    Verb.TRANSLATE_PINS: Call((TEXT, BATCH, BATCH, BATCH, TEXT, BATCH), BATCH),
    Verb.PUBLIC_KEY: Call((), BLOB),
    Verb.SIGN: Call((BLOB,), BLOB),
    # ref, recipient's public key
    Verb.EXPORT_ENVELOPE: Call((TEXT, BLOB), BLOB),
    # envelope, sender's public key, expected name, expected owner
    Verb.IMPORT_ENVELOPE: Call((BLOB, BLOB, TEXT, TEXT), KEY_INFO),
    # name, public key, owner
    Verb.REGISTER_PEER: Call((TEXT, BLOB, TEXT), PEER),
    Verb.PEERS: Call((), listed(PEER)),
    Verb.REMOVE_PEER: Call((TEXT,), PEER),
    Verb.VERIFY_LOG: Call((), FINDING),
    # first entry, how many
    Verb.LOG: Call((U32, U32), TEXTS),
    Verb.ENTRY_KEY: Call((), ENTRY_KEY),
    # holder (1 …), entry id, the share sealed to the entry key
    Verb.UNSEAL: Call((U8, BLOB, BLOB), PROGRESS),
    Verb.SEAL: Call((), PROGRESS),
    # threshold, the receivers' public keys
    Verb.SHARE_OUT: Call((U8, BLOBS), SHARES),
    # the offered set
    Verb.CONFIRM_SHARES: Call((BLOB,), PROGRESS),
    # threshold, the receivers' public keys
    Verb.BACK_UP: Call((U8, BLOBS), BACKUP),
    Verb.RESTORE: Call((BLOB,), PROGRESS),
    # name, algorithm, usage, version, owner, diversified, movable, scheme, parts, threshold
    Verb.BEGIN_COMPONENTS: Call((TEXT, U8, TEXT, U16, TEXT, U8, U8, TEXT, U8, U8), TEXT),
    # reference of the entry, part (1 …), entry id, the component sealed to the entry key
    Verb.ENTER_COMPONENT: Call((TEXT, U8, BLOB, BLOB), TEXT),
    # reference of the entry, expected joint check value (empty: none)
    Verb.FINISH_COMPONENTS: Call((TEXT, TEXT), KEY_INFO),
    Verb.CANCEL_COMPONENTS: Call((TEXT,), TEXT),
    # algorithm, scheme, parts, threshold, the receivers' public keys
    Verb.GENERATE_COMPONENTS: Call((U8, TEXT, U8, U8, BLOBS), BLOBS),
}
