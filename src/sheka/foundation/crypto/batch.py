"""Many blocks, each under its own key: batches of cards checked, wrapped or diversified at once (K2, K6).

A cipher context per key costs about five microseconds, most of it set-up. From a few hundred (SM4) or thousand (3DES)
keys on, numpy does the same ten and more times as fast; below, the contexts are used, and the answer is the same.
"""

from __future__ import annotations

import numpy as np

from sheka.foundation.crypto import batch_sm4, batch_tdes, ciphers
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm, block_bytes
from sheka.foundation.crypto.checks import need_blocks, need_length

_LEAST = {Algorithm.SM4: 100, Algorithm.TDES: 2000}
"""Number of blocks from which the numpy form is the faster one."""


def sm4_many(keys: bytes, blocks: bytes) -> bytes:
    """SM4 of N blocks, block i under key i: keys, blocks and answer have 16·N bytes."""
    return encrypt_many(Algorithm.SM4, keys, blocks)


def tdes_many(keys: bytes, blocks: bytes) -> bytes:
    """Double-length 3DES of N blocks, block i under key i: keys 16·N bytes, blocks and answer 8·N."""
    return encrypt_many(Algorithm.TDES, keys, blocks)


def encrypt_many(algorithm: Algorithm, keys: bytes, blocks: bytes, *, blocks_per_key: int = 1) -> bytes:
    """ECB of N·b blocks, the first b under the first key and so on: keys 16·N bytes, as many bytes out as in.

    `CRYPTO_BLOCK_LENGTH` for a broken key or block, `CRYPTO_INPUT_LENGTH` when keys and blocks do not match in number.
    """
    block = block_bytes(algorithm)
    need_blocks(keys, KEY_BYTES, "keys")
    need_blocks(blocks, block, "blocks")
    count = len(keys) // KEY_BYTES
    need_length(blocks, count * blocks_per_key * block, "blocks")
    if count * blocks_per_key < _LEAST[algorithm]:
        return _one_by_one(algorithm, keys, blocks, blocks_per_key * block)
    if blocks_per_key > 1:
        keys = np.repeat(np.frombuffer(keys, np.uint8).reshape(count, KEY_BYTES), blocks_per_key, axis=0).tobytes()
    if algorithm == Algorithm.SM4:
        return batch_sm4.encrypt(keys, blocks)
    return batch_tdes.encrypt(keys, blocks)


def _one_by_one(algorithm: Algorithm, keys: bytes, blocks: bytes, size: int) -> bytes:
    starts = range(0, len(keys), KEY_BYTES)
    return b"".join(
        ciphers.encrypt_ecb(algorithm, keys[start : start + KEY_BYTES], blocks[at * size : (at + 1) * size])
        for at, start in enumerate(starts)
    )
