"""Triple DES with double-length keys, and single DES (ISO/IEC 18033-3): cards of algorithm id 01 (C1)."""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, modes

from sheka.foundation.crypto.algorithms import ECB
from sheka.foundation.crypto.checks import need_blocks, need_iv, need_key

BLOCK_BYTES = 8

_ODD_PARITY = bytes(value & 0xFE | (value >> 1).bit_count() & 1 ^ 1 for value in range(256))


def encryptor(key: bytes) -> CipherContext:
    """An ECB encryption context for many calls under one key (16 or 24 bytes); see `sm4.encryptor`."""
    return Cipher(_keyed(key), ECB).encryptor()


def encrypt_ecb(key: bytes, data: bytes) -> bytes:
    """Each 8-byte block under a key of 16 bytes (left, right, left) or 24 bytes.

    >>> encrypt_ecb(bytes.fromhex("0123456789abcdeffedcba9876543210"), bytes(8)).hex()[:6]
    '08d7b4'
    """
    need_blocks(data, BLOCK_BYTES, "3DES-ECB")
    return Cipher(_keyed(key), ECB).encryptor().update(data)


def decrypt_ecb(key: bytes, data: bytes) -> bytes:
    """The reverse of `encrypt_ecb`."""
    need_blocks(data, BLOCK_BYTES, "3DES-ECB")
    return Cipher(_keyed(key), ECB).decryptor().update(data)


def encrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """CBC without padding: `iv` 8 bytes, `data` whole blocks."""
    need_iv(iv, BLOCK_BYTES, "3DES-CBC")
    need_blocks(data, BLOCK_BYTES, "3DES-CBC")
    return Cipher(_keyed(key), modes.CBC(iv)).encryptor().update(data)


def decrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """The reverse of `encrypt_cbc`."""
    need_iv(iv, BLOCK_BYTES, "3DES-CBC")
    need_blocks(data, BLOCK_BYTES, "3DES-CBC")
    return Cipher(_keyed(key), modes.CBC(iv)).decryptor().update(data)


def des_encrypt(key: bytes, data: bytes) -> bytes:
    """Single DES, ECB, under 8 bytes: only inside the card's authentication and MAC formulae (card.md §6)."""
    need_blocks(data, BLOCK_BYTES, "DES")
    return Cipher(_single(key), ECB).encryptor().update(data)


def des_decrypt(key: bytes, data: bytes) -> bytes:
    """The reverse of `des_encrypt`."""
    need_blocks(data, BLOCK_BYTES, "DES")
    return Cipher(_single(key), ECB).decryptor().update(data)


def des_encrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Single DES in CBC without padding, the running part of the ISO 9797-1 MACs."""
    need_iv(iv, BLOCK_BYTES, "DES-CBC")
    need_blocks(data, BLOCK_BYTES, "DES-CBC")
    return Cipher(_single(key), modes.CBC(iv)).encryptor().update(data)


def adjust_parity(key: bytes) -> bytes:
    """The key with the last bit of every byte set to odd parity (ISO/IEC 18033-3 §4.2.1); any length.

    >>> adjust_parity(bytes.fromhex("1a2b3c4d5f0a1b2c")).hex()
    '1a2a3d4c5e0b1a2c'
    """
    return key.translate(_ODD_PARITY)


def _keyed(key: bytes) -> TripleDES:
    need_key(key, 16, 24, what="3DES")
    return TripleDES(key + key[:8] if len(key) == 16 else key)


def _single(key: bytes) -> TripleDES:
    need_key(key, 8, what="DES")
    return TripleDES(key * 3)
