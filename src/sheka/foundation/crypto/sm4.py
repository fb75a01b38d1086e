"""SM4 (GB/T 32907-2016) in ECB, CBC, CTR (GB/T 17964), GCM and CCM (GB/T 36624, RFC 8998) (C1)."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from sheka.foundation.crypto.algorithms import ECB
from sheka.foundation.crypto.checks import need_blocks, need_iv, need_key
from sheka.foundation.refusals import Code, Refused

BLOCK_BYTES = 16
TAG_BYTES = 16
GCM_NONCE_BYTES = 12


def encryptor(key: bytes) -> CipherContext:
    """An ECB encryption context for many calls under one key; `update(block)` answers each block at once.

    Not for use by two threads at a time. The caller decides how long the expanded key lives.
    """
    return Cipher(_keyed(key), ECB).encryptor()


def encrypt_ecb(key: bytes, data: bytes) -> bytes:
    """Each 16-byte block of `data` under `key` (16 bytes).

    >>> key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    >>> encrypt_ecb(key, key).hex()
    '681edf34d206965e86b3e94f536e4246'
    """
    need_blocks(data, BLOCK_BYTES, "SM4-ECB")
    return Cipher(_keyed(key), ECB).encryptor().update(data)


def decrypt_ecb(key: bytes, data: bytes) -> bytes:
    """The reverse of `encrypt_ecb`."""
    need_blocks(data, BLOCK_BYTES, "SM4-ECB")
    return Cipher(_keyed(key), ECB).decryptor().update(data)


def encrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """CBC without padding: `iv` 16 bytes, `data` whole blocks."""
    need_iv(iv, BLOCK_BYTES, "SM4-CBC")
    need_blocks(data, BLOCK_BYTES, "SM4-CBC")
    return Cipher(_keyed(key), modes.CBC(iv)).encryptor().update(data)


def decrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """The reverse of `encrypt_cbc`."""
    need_iv(iv, BLOCK_BYTES, "SM4-CBC")
    need_blocks(data, BLOCK_BYTES, "SM4-CBC")
    return Cipher(_keyed(key), modes.CBC(iv)).decryptor().update(data)


def ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Counter mode, any length; the same call encrypts and decrypts. `iv` is the first 16-byte counter block.

    A counter block must never come twice under one key.
    """
    need_iv(iv, BLOCK_BYTES, "SM4-CTR")
    return Cipher(_keyed(key), modes.CTR(iv)).encryptor().update(data)


def encrypt_gcm(key: bytes, nonce: bytes, data: bytes, aad: bytes = b"") -> bytes:
    """GCM: ciphertext ‖ 16-byte tag. `nonce` 12 bytes, never twice under one key."""
    need_iv(nonce, GCM_NONCE_BYTES, "SM4-GCM")
    context = Cipher(_keyed(key), modes.GCM(nonce)).encryptor()
    context.authenticate_additional_data(aad)
    return context.update(data) + context.finalize() + context.tag


def decrypt_gcm(key: bytes, nonce: bytes, data: bytes, aad: bytes = b"") -> bytes:
    """Open ciphertext ‖ tag; `CRYPTO_TAG` when one bit of key, nonce, text or `aad` differs: then nothing comes out."""
    need_iv(nonce, GCM_NONCE_BYTES, "SM4-GCM")
    if len(data) < TAG_BYTES:
        raise Refused(Code.CRYPTO_TAG, what="SM4-GCM")
    text, tag = data[:-TAG_BYTES], data[-TAG_BYTES:]
    context = Cipher(_keyed(key), modes.GCM(nonce, tag)).decryptor()
    context.authenticate_additional_data(aad)
    plain = context.update(text)
    try:
        return plain + context.finalize()
    except InvalidTag:
        raise Refused(Code.CRYPTO_TAG, what="SM4-GCM") from None


def _keyed(key: bytes) -> SM4:
    need_key(key, 16, what="SM4")
    return SM4(key)
