"""Diversified keys, level by level, and session keys (K1–K3, C1; JR/T 0025 part 7, card.md §6)."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from sheka.foundation.crypto import batch_tdes, ciphers
from sheka.foundation.crypto.algorithms import FACTOR_BYTES, KEY_BYTES, Algorithm, block_bytes
from sheka.foundation.crypto.batch import encrypt_many
from sheka.foundation.crypto.checks import need_blocks, need_key, need_length

_CHUNK = 8_192
"""Factors to a cipher call: 128 KiB of blocks stay in the cache between being written and being encrypted."""

_PLANES_FROM = 32_768
"""Factors from which bit planes are the faster 3DES: two blocks each, about 10 ms whatever the number below."""

_SPARE = 15
"""Room that `update_into` wants beyond the data: one block less one byte."""

_COMPLEMENT = bytes(0xFF - value for value in range(256))


def diversify(algorithm: Algorithm, key: bytes, factor: bytes) -> bytes:
    """The 16-byte child of `key` for an 8-byte factor F.

    3DES: E(key, F) ‖ E(key, ¬F). SM4: one block, E(key, F ‖ ¬F). DES parity is left as it falls (PBOC).
    """
    need_length(factor, FACTOR_BYTES, "factor")
    return ciphers.encrypt_ecb(algorithm, key, factor + factor.translate(_COMPLEMENT))


def diversify_chain(algorithm: Algorithm, key: bytes, factors: Sequence[bytes]) -> bytes:
    """Several levels one after another: ministry → province → city → card takes three factors."""
    for factor in factors:
        key = diversify(algorithm, key, factor)
    return key


def diversify_many(algorithm: Algorithm, key: bytes, factors: bytes) -> bytes:
    """Children of one key for N factors given as 8·N bytes: 16·N bytes in the same order.

    One cipher context for all; a very long 3DES batch goes by bit planes, which OpenSSL's 3DES cannot follow.
    """
    need_key(key, KEY_BYTES, what=Algorithm(algorithm).name)
    need_blocks(factors, FACTOR_BYTES, "factors")
    words = np.frombuffer(factors, np.uint64)
    if algorithm == Algorithm.TDES and len(words) >= _PLANES_FROM:
        return batch_tdes.encrypt_under_one(key, _pair(words, np.empty((len(words), 2), np.uint64)).tobytes())
    pairs = np.empty((min(len(words), _CHUNK), 2), np.uint64)
    context, children = ciphers.encryptor(algorithm, key), BytesIO()
    children.seek(2 * len(factors) + _SPARE - 1)
    children.write(b"\x00")
    with children.getbuffer() as room:
        for start in range(0, len(words), _CHUNK):
            filled = _pair(words[start : start + _CHUNK], pairs)
            context.update_into(filled.data.cast("B"), room[KEY_BYTES * start :])
    children.truncate(2 * len(factors))
    return children.getvalue()  # hands the buffer over without a copy, which a bytearray would not


def diversify_each(algorithm: Algorithm, keys: bytes, factors: bytes) -> bytes:
    """Child i of key i for factor i: keys 16·N bytes, factors 8·N, answer 16·N (one level more for a whole batch)."""
    need_blocks(keys, KEY_BYTES, "keys")
    need_length(factors, len(keys) // KEY_BYTES * FACTOR_BYTES, "factors")
    words = np.frombuffer(factors, np.uint64)
    pairs = _pair(words, np.empty((len(words), 2), np.uint64)).tobytes()
    return encrypt_many(algorithm, keys, pairs, blocks_per_key=KEY_BYTES // block_bytes(algorithm))


def _pair(words: NDArray[np.uint64], room: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(n,) factors to (n, 2) F ‖ ¬F, written into the first rows of `room`."""
    pairs = room[: len(words)]
    pairs[:, 0] = words
    np.invert(words, out=pairs[:, 1])
    return pairs


def session_key(algorithm: Algorithm, key: bytes, data: bytes) -> bytes:
    """The key of one session from a card key and the session's input.

    3DES with 8 bytes of `data` (card.md §6, medical purchase): 3DES-E(key, data), 8 bytes. SM4 with 8 bytes:
    SM4-E(key, data ‖ ¬data), 16 bytes [local choice, as diversification].
    """
    need_length(data, FACTOR_BYTES, "session input")
    if algorithm == Algorithm.TDES:
        return ciphers.encrypt_ecb(algorithm, key, data)
    return diversify(algorithm, key, data)


def session_key_atc(algorithm: Algorithm, key: bytes, counter: bytes) -> bytes:
    """The 16-byte session key of a transaction counter (ATC, 2 bytes), PBOC: 000000000000‖ATC takes the factor's place
    and, unlike diversification, only the counter is complemented in the second half.
    """
    need_length(counter, 2, "ATC")
    halves = bytes(6) + counter + bytes(6) + counter.translate(_COMPLEMENT)
    return ciphers.encrypt_ecb(algorithm, key, halves)
