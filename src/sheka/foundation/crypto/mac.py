"""Message authentication codes on card and line (C1)."""

from __future__ import annotations

from sheka.foundation.crypto import sm4, tdes
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm, block_bytes
from sheka.foundation.crypto.checks import need_key
from sheka.foundation.crypto.padding import pad

COMMAND_MAC_BYTES = 4


def command_mac(algorithm: Algorithm, key: bytes, data: bytes, iv: bytes = b"") -> bytes:
    """The 4-byte MAC of a card command (card.md §6). `iv` is one block; left out it is a zero block.

    3DES: ISO 9797-1 algorithm 3, padding 2. SM4: CBC-MAC, padding 2. Leftmost 4 bytes.
    """
    block = block_bytes(algorithm)
    iv = iv or bytes(block)
    padded = pad(2, data, block)
    need_key(key, KEY_BYTES, what=Algorithm(algorithm).name)
    if algorithm == Algorithm.SM4:
        return sm4.encrypt_cbc(key, iv, padded)[-block:][:COMMAND_MAC_BYTES]
    return retail_mac(key[:8], key[8:], padded, iv)[:COMMAND_MAC_BYTES]


def retail_mac(left: bytes, right: bytes, padded: bytes, iv: bytes) -> bytes:
    """ISO 9797-1 algorithm 3 over padded data: DES-CBC under `left`, the last block 3DES under left, right, left."""
    chained = tdes.des_encrypt_cbc(left, iv, padded[:-8])[-8:] or iv
    last = bytes(a ^ b for a, b in zip(chained, padded[-8:], strict=True))
    return tdes.encrypt_ecb(left + right, last)
