"""SM4 (GB/T 32907-2016) in ECB, CBC, CTR (GB/T 17964), GCM and CCM (GB/T 36624, RFC 8998) (C1)."""

from __future__ import annotations

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from sheka.foundation.crypto.algorithms import ECB
from sheka.foundation.crypto.checks import need_blocks, need_iv, need_key
from sheka.foundation.refusals import Code, Refused

BLOCK_BYTES = 16
TAG_BYTES = 16
GCM_NONCE_BYTES = 12
CCM_NONCE_BYTES = 12


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


def encrypt_ccm(key: bytes, nonce: bytes, data: bytes, aad: bytes = b"") -> bytes:
    """CCM (RFC 8998, NIST SP 800-38C): ciphertext ‖ 16-byte tag. `nonce` 12 bytes, never twice under one key.

    Up to 16 MiB − 1 of data, as the 3-byte length field of a 12-byte nonce allows, and less than 64 KiB − 256 of `aad`.
    """
    need_iv(nonce, CCM_NONCE_BYTES, "SM4-CCM")
    tag = _ccm_tag(key, nonce, data, aad)
    return ctr(key, _ccm_counter(nonce, 1), data) + ctr(key, _ccm_counter(nonce, 0), tag)


def decrypt_ccm(key: bytes, nonce: bytes, data: bytes, aad: bytes = b"") -> bytes:
    """Open CCM ciphertext ‖ tag; `CRYPTO_TAG` when anything differs: then nothing comes out."""
    need_iv(nonce, CCM_NONCE_BYTES, "SM4-CCM")
    if len(data) < TAG_BYTES:
        raise Refused(Code.CRYPTO_TAG, what="SM4-CCM")
    plain = ctr(key, _ccm_counter(nonce, 1), data[:-TAG_BYTES])
    tag = ctr(key, _ccm_counter(nonce, 0), data[-TAG_BYTES:])
    if not hmac.compare_digest(tag, _ccm_tag(key, nonce, plain, aad)):
        raise Refused(Code.CRYPTO_TAG, what="SM4-CCM")
    return plain


def _ccm_counter(nonce: bytes, count: int) -> bytes:
    return b"\x02" + nonce + count.to_bytes(3, "big")


def _ccm_tag(key: bytes, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    """CBC-MAC over flags ‖ nonce ‖ length, the associated data with its own length, and the data, each zero-padded."""
    if len(data) >> 24:
        raise Refused(Code.CRYPTO_INPUT_LIMIT, what="SM4-CCM", limit=(1 << 24) - 1, got=len(data))
    if len(aad) >= 0xFF00:
        raise Refused(Code.CRYPTO_INPUT_LIMIT, what="SM4-CCM aad", limit=0xFEFF, got=len(aad))
    flags = (0x40 if aad else 0) | (TAG_BYTES - 2) // 2 << 3 | 2
    header = bytes([flags]) + nonce + len(data).to_bytes(3, "big")
    told = len(aad).to_bytes(2, "big") + aad if aad else b""
    chained = header + _to_block(told) + _to_block(data)
    return encrypt_cbc(key, bytes(BLOCK_BYTES), chained)[-BLOCK_BYTES:]


def _to_block(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK_BYTES)


def _keyed(key: bytes) -> SM4:
    need_key(key, 16, what="SM4")
    return SM4(key)
