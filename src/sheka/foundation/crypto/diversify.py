"""Diversified keys, level by level, and session keys (K1–K3, C1; JR/T 0025 part 7, card.md §6)."""

from __future__ import annotations

from collections.abc import Sequence

from sheka.foundation.crypto import ciphers
from sheka.foundation.crypto.algorithms import FACTOR_BYTES, Algorithm
from sheka.foundation.crypto.checks import need_blocks, need_length

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
    """Children of one key for N factors given as 8·N bytes: 16·N bytes in the same order, by one cipher call."""
    need_blocks(factors, FACTOR_BYTES, "factors")
    inverted = factors.translate(_COMPLEMENT)
    pairs = bytearray(2 * len(factors))
    for at in range(FACTOR_BYTES):
        pairs[at::16] = factors[at::FACTOR_BYTES]
        pairs[at + FACTOR_BYTES :: 16] = inverted[at::FACTOR_BYTES]
    return ciphers.encrypt_ecb(algorithm, key, bytes(pairs))


def session_key(algorithm: Algorithm, key: bytes, data: bytes) -> bytes:
    """The key of one session from a card key and the session's input.

    3DES with 8 bytes of `data` (card.md §6, medical purchase): 3DES-E(key, data), 8 bytes. SM4 with 8 bytes:
    SM4-E(key, data ‖ ¬data), 16 bytes [local choice, as diversification].
    """
    need_length(data, FACTOR_BYTES, "session input")
    if algorithm is Algorithm.TDES:
        return ciphers.encrypt_ecb(algorithm, key, data)
    return diversify(algorithm, key, data)


def session_key_atc(algorithm: Algorithm, key: bytes, counter: bytes) -> bytes:
    """The 16-byte session key of a transaction counter (ATC, 2 bytes), PBOC: 000000000000‖ATC takes the factor's place
    and, unlike diversification, only the counter is complemented in the second half.
    """
    need_length(counter, 2, "ATC")
    halves = bytes(6) + counter + bytes(6) + counter.translate(_COMPLEMENT)
    return ciphers.encrypt_ecb(algorithm, key, halves)
