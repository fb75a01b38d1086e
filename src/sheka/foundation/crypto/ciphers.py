"""The same cipher call for either algorithm, for code that takes the algorithm from a card or a key record (C1)."""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.ciphers import CipherContext

from sheka.foundation.crypto import sm4, tdes
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm
from sheka.foundation.crypto.checks import need_key


class BlockCipher(Protocol):
    """What `sm4` and `tdes` have in common."""

    def encryptor(self, key: bytes) -> CipherContext: ...
    def encrypt_ecb(self, key: bytes, data: bytes) -> bytes: ...
    def decrypt_ecb(self, key: bytes, data: bytes) -> bytes: ...
    def encrypt_cbc(self, key: bytes, iv: bytes, data: bytes) -> bytes: ...
    def decrypt_cbc(self, key: bytes, iv: bytes, data: bytes) -> bytes: ...


_MODULES: dict[Algorithm, BlockCipher] = {Algorithm.TDES: tdes, Algorithm.SM4: sm4}


def encryptor(algorithm: Algorithm, key: bytes) -> CipherContext:
    """An ECB encryption context to reuse for many blocks under one 16-byte key; one thread at a time."""
    _need(algorithm, key)
    return _MODULES[algorithm].encryptor(key)


def encrypt_ecb(algorithm: Algorithm, key: bytes, data: bytes) -> bytes:
    """ECB of whole blocks (8 bytes 3DES, 16 SM4) under a 16-byte key."""
    _need(algorithm, key)
    return _MODULES[algorithm].encrypt_ecb(key, data)


def decrypt_ecb(algorithm: Algorithm, key: bytes, data: bytes) -> bytes:
    """The reverse of `encrypt_ecb`."""
    _need(algorithm, key)
    return _MODULES[algorithm].decrypt_ecb(key, data)


def encrypt_cbc(algorithm: Algorithm, key: bytes, iv: bytes, data: bytes) -> bytes:
    """CBC of whole blocks without padding; `iv` is one block."""
    _need(algorithm, key)
    return _MODULES[algorithm].encrypt_cbc(key, iv, data)


def decrypt_cbc(algorithm: Algorithm, key: bytes, iv: bytes, data: bytes) -> bytes:
    """The reverse of `encrypt_cbc`."""
    _need(algorithm, key)
    return _MODULES[algorithm].decrypt_cbc(key, iv, data)


def _need(algorithm: Algorithm, key: bytes) -> None:
    need_key(key, KEY_BYTES, what=Algorithm(algorithm).name)
