"""The verbs as values: what to send and how to read the answer, for the blocking and the asyncio client alike (H5)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sheka.equipment.encryption_machine.model import KeyInfo, LogFinding, MachineInfo, Peer, PinFinding, Usage, Verb
from sheka.equipment.encryption_machine.wire import Batch
from sheka.foundation.chip.authentication import Settlement, amounts_bytes
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

T = TypeVar("T")

_TERMINAL_END = 19
"""Amounts 12, type 1 and terminal 6 come before the terminal sequence in what a TAC signs."""

MacItem = tuple[str, bytes, bytes]
"""(key ref, message, MAC of 4 bytes)"""


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One request: the verb, its arguments as `calls.CALLS` lists them, and what the caller gets of the answer."""

    verb: Verb
    arguments: tuple[Any, ...]
    finish: Callable[[Any], T]


def _same(answer: T) -> T:
    return answer


def _items(answer: Batch) -> list[bytes]:
    return answer.items()


def _raw(answer: Batch) -> bytes:
    return answer.raw


def _optional(items: Sequence[bytes] | None) -> Batch | None:
    return None if items is None else Batch.of(items)


def _counted(expected: int, **lists: Sequence[object] | None) -> None:
    for what, found in lists.items():
        if found is not None and len(found) != expected:
            raise Refused(Code.MACHINE_INPUT_COUNT, what=what, expected=expected, got=len(found))


def _octets(what: str, values: Sequence[int]) -> bytes:
    for value in values:
        if not 0 <= value <= 255:
            raise Refused(Code.MACHINE_KEY_NAMING, what=what, value=value)
    return bytes(values)


def fixed(what: str, raw: bytes, width: int) -> Batch:
    """A run of equal items as a batch; `MACHINE_INPUT_LENGTH` when it is not a whole number of them."""
    if len(raw) % width:
        raise Refused(Code.MACHINE_INPUT_LENGTH, what=what, expected=f"n·{width}", got=len(raw))
    return Batch(raw, width)


def describe() -> Request[MachineInfo]:
    return Request(Verb.DESCRIBE, (), _same)


def list_keys() -> Request[list[KeyInfo]]:
    return Request(Verb.LIST_KEYS, (), _same)


def key(ref: str) -> Request[KeyInfo]:
    return Request(Verb.KEY, (ref,), _same)


def generate(
    name: str, algorithm: Algorithm, usage: Usage, version: int, owner: str, diversified: bool, movable: bool
) -> Request[KeyInfo]:
    arguments = (name, int(algorithm), str(usage), version, owner, int(diversified), int(movable))
    return Request(Verb.GENERATE, arguments, _same)


def derive(
    parent_ref: str, factor: bytes, name: str, owner: str, usage: Usage, version: int | None, diversified: bool
) -> Request[KeyInfo]:
    arguments = (parent_ref, factor, name, owner, str(usage), version or 0, int(diversified))
    return Request(Verb.DERIVE, arguments, _same)


def destroy(ref: str) -> Request[KeyInfo]:
    return Request(Verb.DESTROY, (ref,), _same)


def check_values(ref: str, factors: Sequence[bytes]) -> Request[list[str]]:
    return Request(
        Verb.CHECK_VALUES, (ref, Batch.of(factors)), lambda found: [value.hex().upper() for value in found.items()]
    )


def check_values_raw(ref: str, factors: bytes) -> Request[bytes]:
    return Request(Verb.CHECK_VALUES, (ref, fixed("factors", factors, 8)), _raw)


def cryptograms(ref: str, factors: Sequence[bytes] | None, data: Sequence[bytes]) -> Request[list[bytes]]:
    _counted(len(data), factors=factors)
    return Request(Verb.CRYPTOGRAMS, (ref, _optional(factors), Batch.of(data)), _items)


def cryptograms_raw(ref: str, data: bytes, factors: bytes | None) -> Request[bytes]:
    if factors is None:
        return Request(Verb.CRYPTOGRAMS, (ref, None, Batch(data, len(data))), _raw)
    many = fixed("factors", factors, 8)
    if not many.count or len(data) % many.count:
        raise Refused(Code.MACHINE_INPUT_COUNT, what="data", expected=f"{many.count}·n", got=len(data))
    return Request(Verb.CRYPTOGRAMS, (ref, many, Batch(data, len(data) // many.count)), _raw)


def internal_authentication(
    ref: str, factors: Sequence[bytes], sources: Sequence[bytes], process_factors: Sequence[bytes] | None
) -> Request[list[bytes]]:
    _counted(len(sources), factors=factors, process_factors=process_factors)
    arguments = (ref, Batch.of(factors), Batch.of(sources), _optional(process_factors))
    return Request(Verb.INTERNAL_AUTHENTICATION, arguments, _items)


def external_authentication(
    ref: str, factors: Sequence[bytes], challenges: Sequence[bytes], sources: Sequence[bytes] | None
) -> Request[list[bytes]]:
    _counted(len(challenges), factors=factors, sources=sources)
    arguments = (ref, Batch.of(factors), Batch.of(challenges), _optional(sources))
    return Request(Verb.EXTERNAL_AUTHENTICATION, arguments, _items)


def card_authentication_codes(ref: str, factors: Sequence[bytes], first12s: Sequence[bytes]) -> Request[list[bytes]]:
    _counted(len(first12s), factors=factors)
    return Request(Verb.CARD_AUTHENTICATION_CODES, (ref, Batch.of(factors), Batch.of(first12s)), _items)


def macs(
    ref: str, factors: Sequence[bytes] | None, messages: Sequence[bytes], ivs: Sequence[bytes] | None
) -> Request[list[bytes]]:
    _counted(len(messages), factors=factors, ivs=ivs)
    return Request(Verb.MACS, (ref, _optional(factors), Batch.of(messages), _optional(ivs)), _items)


def macs_of(items: Sequence[tuple[str, bytes]]) -> Request[list[bytes]]:
    refs, places = _placed([ref for ref, _ in items])
    return Request(Verb.MACS_OF, (refs, places, Batch.of([message for _, message in items])), _items)


def verify_macs(items: Sequence[MacItem]) -> Request[list[bool]]:
    refs, places = _placed([ref for ref, _, _ in items])
    messages = Batch.of([message for _, message, _ in items])
    return Request(Verb.VERIFY_MACS, (refs, places, messages, Batch.of([mac for _, _, mac in items])), _same)


def _placed(refs: list[str]) -> tuple[list[str], bytes]:
    """The distinct refs, and each item's place among them (2 bytes each)."""
    distinct = list(dict.fromkeys(refs))
    if len(distinct) > 0xFFFF:
        raise Refused(Code.MACHINE_INPUT_COUNT, what="refs", expected="≤ 65535", got=len(distinct))
    place = {ref: number for number, ref in enumerate(distinct)}
    return distinct, struct.pack(f">{len(refs)}H", *map(place.__getitem__, refs))


def verify_diversified_macs(
    ref: str,
    factors: Sequence[bytes] | None,
    messages: Sequence[bytes],
    found: Sequence[bytes],
    ivs: Sequence[bytes] | None,
) -> Request[list[bool]]:
    _counted(len(messages), factors=factors, macs=found, ivs=ivs)
    arguments = (ref, _optional(factors), Batch.of(messages), Batch.of(found), _optional(ivs))
    return Request(Verb.VERIFY_DIVERSIFIED_MACS, arguments, _same)


def wrap_for_chips(
    refs: Sequence[str], factors: Sequence[bytes], kek_ref: str, kek_factors: Sequence[bytes] | None
) -> Request[list[list[bytes]]]:
    _counted(len(factors), kek_factors=kek_factors)
    each = len(refs)

    def by_card(answer: Batch) -> list[list[bytes]]:
        flat = answer.items()
        return [flat[at : at + each] for at in range(0, len(flat), each)]

    arguments = (list(refs), Batch.of(factors), kek_ref, _optional(kek_factors))
    return Request(Verb.WRAP_FOR_CHIPS, arguments, by_card)


def wrap_for_chip(
    refs: Sequence[str],
    key_ids: Sequence[int],
    versions: Sequence[int],
    factor: bytes,
    kek_ref: str,
    kek_factor: bytes,
    challenge: bytes,
) -> Request[list[bytes]]:
    _counted(len(refs), key_ids=key_ids, versions=versions)
    arguments = (
        list(refs),
        _octets("key id", key_ids),
        _octets("version", versions),
        factor,
        kek_ref,
        kek_factor,
        challenge,
    )
    return Request(Verb.WRAP_FOR_CHIP, arguments, _items)


def wrap_diversified_raw(ref: str, factors: bytes, kek_ref: str, kek_factor: bytes) -> Request[bytes]:
    fixed("factors", factors, 8)
    return Request(Verb.WRAP_DIVERSIFIED, (ref, factors, kek_ref, kek_factor), _same)


def wrap_for_line(ref: str, factors: Sequence[bytes], kek_ref: str) -> Request[list[bytes]]:
    return Request(Verb.WRAP_FOR_LINE, (ref, Batch.of(factors), kek_ref), _items)


def pin_values(
    ref: str,
    factors: Sequence[bytes],
    blocks: Sequence[bytes],
    accounts: Sequence[bytes],
    value_ref: str,
    cards: Sequence[bytes],
) -> Request[list[bytes]]:
    _counted(len(blocks), factors=factors, accounts=accounts, cards=cards)
    arguments = (ref, Batch.of(factors), Batch.of(blocks), Batch.of(accounts), value_ref, Batch.of(cards))
    return Request(Verb.PIN_VALUES, arguments, _items)


def verify_pins(
    ref: str,
    factors: Sequence[bytes],
    blocks: Sequence[bytes],
    accounts: Sequence[bytes],
    value_ref: str,
    cards: Sequence[bytes],
    values: Sequence[bytes],
) -> Request[list[PinFinding]]:
    _counted(len(blocks), factors=factors, accounts=accounts, cards=cards, values=values)
    arguments = (ref, Batch.of(factors), Batch.of(blocks), Batch.of(accounts), value_ref, Batch.of(cards))
    return Request(
        Verb.VERIFY_PINS, (*arguments, Batch.of(values)), lambda found: [PinFinding(number) for number in found]
    )


def translate_pins(
    ref: str,
    factors: Sequence[bytes],
    blocks: Sequence[bytes],
    accounts: Sequence[bytes],
    zone_ref: str,
    zone_factors: Sequence[bytes],
) -> Request[list[bytes]]:
    _counted(len(blocks), factors=factors, accounts=accounts, zone_factors=zone_factors)
    arguments = (ref, Batch.of(factors), Batch.of(blocks), Batch.of(accounts), zone_ref, Batch.of(zone_factors))
    return Request(Verb.TRANSLATE_PINS, arguments, _items)


def verify_mac1(
    ref: str,
    factors: Sequence[bytes],
    sessions: Sequence[bytes],
    settlements: Sequence[Settlement],
    found: Sequence[bytes],
) -> Request[list[bool]]:
    _counted(len(settlements), factors=factors, sessions=sessions, macs=found)
    messages = Batch.of([settlement.message() for settlement in settlements])
    arguments = (ref, Batch.of(factors), Batch.of(sessions), messages, Batch.of(found))
    return Request(Verb.VERIFY_MAC1, arguments, _same)


def verify_tacs(
    ref: str,
    factors: Sequence[bytes],
    settlements: Sequence[Settlement],
    terminal_sequences: Sequence[bytes],
    tacs: Sequence[bytes],
) -> Request[list[bool]]:
    _counted(len(settlements), factors=factors, terminal_sequences=terminal_sequences, tacs=tacs)
    signed = []
    for settlement, sequence in zip(settlements, terminal_sequences, strict=True):
        message = settlement.message()
        signed.append(message[:_TERMINAL_END] + sequence + message[_TERMINAL_END:])
    return Request(Verb.VERIFY_TACS, (ref, Batch.of(factors), Batch.of(signed), Batch.of(tacs)), _same)


def session_input(random: bytes, sequence: bytes, terminal_sequence: bytes) -> bytes:
    """Random 4 ‖ card sequence 2 ‖ low 2 bytes of the terminal sequence 4 (card.md §6):
    input of the purchase session key.
    """
    for what, value, length in (("random", random, 4), ("sequence", sequence, 2)):
        if len(value) != length:
            raise Refused(Code.MACHINE_INPUT_LENGTH, what=what, expected=length, got=len(value))
    if len(terminal_sequence) != 4:
        raise Refused(Code.MACHINE_INPUT_LENGTH, what="terminal sequence", expected=4, got=len(terminal_sequence))
    return random + sequence + terminal_sequence[2:]


def mac1(
    ref: str, factors: Sequence[bytes], sessions: Sequence[bytes], settlements: Sequence[Settlement]
) -> Request[list[bytes]]:
    _counted(len(settlements), factors=factors, sessions=sessions)
    messages = Batch.of([settlement.message() for settlement in settlements])
    return Request(Verb.MAC1, (ref, Batch.of(factors), Batch.of(sessions), messages), _items)


def verify_mac2(
    ref: str,
    factors: Sequence[bytes],
    sessions: Sequence[bytes],
    settlements: Sequence[Settlement],
    found: Sequence[bytes],
) -> Request[list[bool]]:
    _counted(len(settlements), factors=factors, sessions=sessions, macs=found)
    amounts = Batch.of([amounts_bytes(settlement.amounts) for settlement in settlements])
    arguments = (ref, Batch.of(factors), Batch.of(sessions), amounts, Batch.of(found))
    return Request(Verb.VERIFY_MAC2, arguments, _same)


def public_key() -> Request[bytes]:
    return Request(Verb.PUBLIC_KEY, (), _same)


def sign(message: bytes) -> Request[bytes]:
    return Request(Verb.SIGN, (message,), _same)


def export_envelope(ref: str, recipient_public: bytes) -> Request[bytes]:
    return Request(Verb.EXPORT_ENVELOPE, (ref, recipient_public), _same)


def import_envelope(envelope: bytes, sender_public: bytes, name: str, owner: str) -> Request[KeyInfo]:
    return Request(Verb.IMPORT_ENVELOPE, (envelope, sender_public, name, owner), _same)


def register_peer(name: str, public: bytes, owner: str) -> Request[Peer]:
    return Request(Verb.REGISTER_PEER, (name, public, owner), _same)


def peers() -> Request[list[Peer]]:
    return Request(Verb.PEERS, (), _same)


def remove_peer(name: str) -> Request[Peer]:
    return Request(Verb.REMOVE_PEER, (name,), _same)


def verify_log() -> Request[LogFinding]:
    return Request(Verb.VERIFY_LOG, (), _same)


def log(first: int, most: int) -> Request[list[str]]:
    return Request(Verb.LOG, (first, most), _same)
