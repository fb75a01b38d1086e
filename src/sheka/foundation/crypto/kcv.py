"""Key check values: what two people compare to see that they hold the same key (K2, K6). Never shows the key."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from sheka.foundation.crypto import ciphers
from sheka.foundation.crypto.algorithms import ECB, KEY_BYTES, Algorithm, block_bytes
from sheka.foundation.crypto.batch import encrypt_many
from sheka.foundation.crypto.checks import need_blocks, need_key

_CHECK_BYTES = {Algorithm.TDES: 3, Algorithm.SM4: 4}


def check_value_bytes(algorithm: Algorithm) -> int:
    """Length of a check value: 3 bytes for 3DES, 4 for SM4."""
    return _CHECK_BYTES[Algorithm(algorithm)]


def check_value(algorithm: Algorithm, key: bytes) -> bytes:
    """The first 3 (3DES) or 4 (SM4) bytes of one zero block under the 16-byte `key`.

    >>> check_value(Algorithm.TDES, bytes.fromhex("0123456789abcdeffedcba9876543210")).hex()
    '08d7b4'
    """
    return ciphers.encrypt_ecb(algorithm, key, bytes(block_bytes(algorithm)))[: _CHECK_BYTES[algorithm]]


def check_values_many(algorithm: Algorithm, keys: bytes) -> bytes:
    """Check values of N keys given as 16·N bytes: 3·N (3DES) or 4·N (SM4) bytes, in the same order."""
    need_blocks(keys, KEY_BYTES, "keys")
    block = block_bytes(algorithm)
    sealed = encrypt_many(algorithm, keys, bytes(len(keys) // KEY_BYTES * block))
    rows = np.frombuffer(sealed, np.uint8).reshape(-1, block)
    return rows[:, : _CHECK_BYTES[algorithm]].tobytes()


def check_value_aes(key: bytes) -> bytes:
    """GlobalPlatform's check value of an AES key: first 3 bytes of sixteen bytes 01 (GPC Amendment D §4.1.4)."""
    need_key(key, 16, 24, 32, what="AES")
    return Cipher(AES(key), ECB).encryptor().update(b"\x01" * 16)[:3]
