"""The card's formulae for many items at once (C1, H5): the same results as `foundation.chip.authentication`, in few
cipher calls.

Keys, blocks and answers are runs of equal items. Below `FEW` items the plain functions are quicker than numpy's fixed
cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.equipment.encryption_machine.wire import Batch
from sheka.foundation.chip.authentication import (
    external_cryptogram,
    internal_response,
    session_mac,
    wrap_key_for_chip,
)
from sheka.foundation.crypto import ciphers, sm4, tdes
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm, block_bytes
from sheka.foundation.crypto.batch import encrypt_many
from sheka.foundation.crypto.diversify import session_key
from sheka.foundation.crypto.mac import COMMAND_MAC_BYTES, command_mac
from sheka.foundation.crypto.padding import pad

FEW = 100
_CHAIN_PAYS = {Algorithm.SM4: 100, Algorithm.TDES: 1000}
"""From so many messages of one length, times their blocks, chaining them side by side beats one MAC after the other."""

_COMPLEMENT = bytes(0xFF - value for value in range(256))
Octets = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Keys:
    """N keys of one algorithm in one run (16 bytes each), or one key for all items (`shared`)."""

    algorithm: Algorithm
    raw: bytes
    shared: bool

    @property
    def count(self) -> int:
        return len(self.raw) // KEY_BYTES

    def each(self, count: int) -> Iterator[bytes]:
        """The key of every item."""
        if self.shared:
            return repeat(self.raw, count)
        return (self.raw[at : at + KEY_BYTES] for at in range(0, len(self.raw), KEY_BYTES))

    def encrypt(self, blocks: bytes) -> bytes:
        """ECB of any number of blocks under the one key of all items."""
        return ciphers.encrypt_ecb(self.algorithm, self.raw, blocks)

    def running(self, blocks: bytes) -> bytes:
        """As `encrypt` with what a MAC runs on up to its last block: 3DES's left half as single DES, else the key."""
        if self.algorithm is Algorithm.SM4:
            return sm4.encrypt_ecb(self.raw, blocks)
        return tdes.des_encrypt(self.raw[:8], blocks)

    def write_key(self, challenge: bytes, key_id: int, version: int, key: bytes) -> bytes:
        """WRITE KEY data for one chip: `wrap_key_for_chip` under this transport key."""
        return wrap_key_for_chip(self.algorithm, self.raw, challenge, key_id, version, key)

    def as_one(self) -> Keys:
        """A single key as the key of all items."""
        return Keys(self.algorithm, self.raw, shared=True)

    @property
    def chain_from(self) -> int:
        """From so many messages, times their blocks, MACs are chained side by side instead of one after the other."""
        return 2 if self.shared else _CHAIN_PAYS[self.algorithm]

    def chain(self, text: Octets, state: Octets) -> Octets:
        """The last blocks of MACs side by side: text (N, blocks, block bytes) chained from `state` (N, block bytes)."""
        return _chain(self, text, state)

    @contextmanager
    def chosen(self, places: NDArray[np.intp]) -> Iterator[Keys]:
        """The keys of some items."""
        if self.shared:
            yield self
            return
        raw = np.frombuffer(self.raw, np.uint8).reshape(-1, KEY_BYTES)[places].tobytes()
        try:
            yield Keys(self.algorithm, raw, shared=False)
        finally:
            wipe(raw)


def encrypt_each(keys: Keys, blocks: bytes) -> bytes:
    """One block under each key; under a shared key any number of blocks."""
    if keys.shared:
        return keys.encrypt(blocks)
    return encrypt_many(keys.algorithm, keys.raw, blocks)


def encrypt_runs(keys: Keys, data: Batch) -> Batch:
    """ECB of every item (whole blocks) under its own key."""
    if keys.shared:
        return Batch(keys.encrypt(data.raw), data.width, data.lengths)
    if not data.width:
        each = zip(keys.each(data.count), data.items(), strict=True)
        return Batch.of(ciphers.encrypt_ecb(keys.algorithm, key, item) for key, item in each)
    times = data.width // block_bytes(keys.algorithm)
    return Batch(encrypt_many(keys.algorithm, keys.raw, data.raw, blocks_per_key=times), data.width)


def internal_responses(keys: Keys, factors: bytes, sources: bytes) -> bytes:
    """`internal_response` for every card: 8-byte process factors and sources, 8-byte answers."""
    if keys.count < FEW:
        return b"".join(
            internal_response(keys.algorithm, key, factors[at : at + 8], sources[at : at + 8])
            for key, at in zip(keys.each(0), range(0, len(sources), 8), strict=True)
        )
    return _answers(keys, factors, sources)


def external_cryptograms(keys: Keys, challenges: bytes, sources: bytes) -> bytes:
    """`external_cryptogram` for every card: 8-byte challenges and sources, 8-byte cryptograms."""
    if keys.count < FEW:
        return b"".join(
            external_cryptogram(keys.algorithm, key, challenges[at : at + 8], sources[at : at + 8])
            for key, at in zip(keys.each(0), range(0, len(sources), 8), strict=True)
        )
    return _answers(keys, challenges, sources)


def session_macs(keys: Keys, inputs: bytes, messages: Batch) -> bytes:
    """MACs under each item's session key (8-byte input), 4 bytes each: MAC1 and MAC2 of the medical purchase."""
    if keys.count < FEW:
        return b"".join(
            session_mac(keys.algorithm, session_key(keys.algorithm, key, inputs[at : at + 8]), message)
            for key, at, message in zip(keys.each(0), range(0, len(inputs), 8), messages.items(), strict=True)
        )
    sessions = _sessions(keys, inputs)
    found = macs(Keys(keys.algorithm, sessions, shared=False), messages, None)
    wipe(sessions)
    return found


def tacs(keys: Keys, messages: Batch) -> bytes:
    """The TAC over each message (30 bytes): under DTK left ⊕ right (3DES) or DTK (SM4), 4 bytes each."""
    if keys.algorithm is Algorithm.SM4:
        return macs(keys, messages, None)
    halves = np.frombuffer(keys.raw, np.uint8).reshape(-1, 2, 8)
    single = halves[:, 0] ^ halves[:, 1]
    raw = np.concatenate((single, single), axis=1).tobytes()
    found = macs(Keys(keys.algorithm, raw, keys.shared), messages, None)
    wipe(raw)
    return found


def macs(keys: Keys, messages: Batch, ivs: bytes | None) -> bytes:
    """`command_mac` of every message under its key, 4 bytes each; `ivs` one cipher block each or none.

    Many messages of one padded length go side by side, block by block for all of them.
    """
    items, block = messages.items(), block_bytes(keys.algorithm)
    count = len(items)
    starts = [bytes(block)] * count if ivs is None else [ivs[at : at + block] for at in range(0, len(ivs), block)]
    found = np.empty((count, COMMAND_MAC_BYTES), np.uint8)
    groups: dict[int, list[int]] = {}
    for place, item in enumerate(items):
        groups.setdefault(len(item) // block + 1, []).append(place)
    for blocks, places in groups.items():
        chosen = np.array(places, np.intp)
        with keys.chosen(chosen) as group:
            if len(places) < group.chain_from * blocks:
                each = zip(group.each(len(places)), places, strict=False)
                raw = b"".join(command_mac(keys.algorithm, key, items[at], starts[at]) for key, at in each)
                found[chosen] = _blocks(raw, COMMAND_MAC_BYTES)
            else:
                text = np.frombuffer(b"".join(pad(2, items[at], block) for at in places), np.uint8)
                state = _blocks(b"".join(starts[at] for at in places), block)
                last = group.chain(text.reshape(len(places), blocks, block), state)
                found[chosen] = last[:, :COMMAND_MAC_BYTES]
    return found.tobytes()


def equal(found: bytes, given: Batch, width: int = COMMAND_MAC_BYTES) -> list[bool]:
    """Whether each given MAC is the one found; no comparison stops at the first difference. Another length is wrong."""
    if given.width == width:
        difference = np.frombuffer(found, np.uint8) ^ np.frombuffer(given.raw, np.uint8)
        return [not byte for byte in np.bitwise_or.reduce(difference.reshape(-1, width), axis=1).tolist()]
    items = given.items()
    padded = b"".join(item[:width].ljust(width, b"\0") for item in items)
    right = equal(found, Batch(padded, width), width) if items else []
    return [same and len(item) == width for same, item in zip(right, items, strict=True)]


def pairs(factors: bytes) -> bytes:
    """F ‖ ¬F for every 8-byte F: 16 bytes each."""
    both = np.empty((len(factors) // 8, 2, 8), np.uint8)
    both[:, 0] = np.frombuffer(factors, np.uint8).reshape(-1, 8)
    both[:, 1] = ~both[:, 0]
    return both.tobytes()


def _sessions(keys: Keys, inputs: bytes) -> bytes:
    """Session keys as 16-byte keys: SM4 as they are, 3DES's 8 bytes twice (then 3DES is single DES)."""
    if keys.algorithm is Algorithm.SM4:
        return encrypt_each(keys, pairs(inputs))
    return _doubled(encrypt_each(keys, inputs))


def _doubled(halves: bytes) -> bytes:
    raw = np.repeat(np.frombuffer(halves, np.uint8).reshape(-1, 1, 8), 2, axis=1).tobytes()
    wipe(halves)
    return raw


def _answers(keys: Keys, inputs: bytes, sources: bytes) -> bytes:
    sessions = _sessions(keys, inputs)
    under = Keys(keys.algorithm, sessions, shared=False)
    if keys.algorithm is Algorithm.SM4:
        found = _blocks(encrypt_each(under, pairs(sources)), 16)[:, :8].tobytes()
    else:
        found = encrypt_each(under, sources)
    wipe(sessions)
    return found


def _chain(keys: Keys, text: Octets, state: Octets) -> Octets:
    """CBC over text (N, blocks, block bytes) from `state` (N, block bytes): the last block of each.

    3DES is ISO 9797-1 algorithm 3: single DES under the left half up to the last block, that one under both halves.
    """
    block = text.shape[2]
    left = keys
    if keys.algorithm is Algorithm.TDES and text.shape[1] > 1 and not keys.shared:
        halves = np.frombuffer(keys.raw, np.uint8).reshape(-1, KEY_BYTES)[:, :8].tobytes()
        left = Keys(keys.algorithm, _doubled(halves), shared=False)
    last = text.shape[1] - 1
    for place in range(last + 1):
        mixed = (state ^ text[:, place]).tobytes()
        if place == last:
            state = _blocks(encrypt_each(keys, mixed), block)
        elif keys.shared:
            state = _blocks(keys.running(mixed), block)
        else:
            state = _blocks(encrypt_each(left, mixed), block)
    if left is not keys:
        wipe(left.raw)
    return state


def _blocks(raw: bytes, block: int) -> Octets:
    return np.frombuffer(raw, np.uint8).reshape(-1, block)
