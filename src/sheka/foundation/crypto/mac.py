"""Message authentication codes on card and line: ISO/IEC 9797-1, GB/T 15852.1-2020 with SM4, CMAC (C1)."""

from __future__ import annotations

import hmac
from typing import Literal

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.cmac import CMAC

from sheka.foundation.crypto import sm4, tdes
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm, block_bytes
from sheka.foundation.crypto.checks import need_iv, need_key
from sheka.foundation.crypto.padding import pad
from sheka.foundation.refusals import Code, Refused

COMMAND_MAC_BYTES = 4
CHALLENGE_BYTES = 4

_ZERO_IV = bytes(8)
_ZERO_BLOCK = bytes(16)


def command_mac(algorithm: Algorithm, key: bytes, data: bytes, iv: bytes = b"") -> bytes:
    """The 4-byte MAC of a card command (card.md §6). `iv` is one block; left out it is a zero block.

    3DES: ISO 9797-1 algorithm 3, padding 2. SM4: CBC-MAC, padding 2. Leftmost 4 bytes.
    """
    need_key(key, KEY_BYTES, what=Algorithm(algorithm).name)
    block = block_bytes(algorithm)
    iv = iv or bytes(block)
    if algorithm == Algorithm.SM4:
        return sm4.encrypt_cbc(key, iv, pad(2, data, block))[-block:][:COMMAND_MAC_BYTES]
    return _retail(key, pad(2, data, block), iv)[:COMMAND_MAC_BYTES]


def command_iv(algorithm: Algorithm, challenge: bytes) -> bytes:
    """The initial vector of a command MAC: the card's 4-byte challenge, then zeros to one block (card.md §6)."""
    need_iv(challenge, CHALLENGE_BYTES, "command MAC")
    return challenge + bytes(block_bytes(algorithm) - CHALLENGE_BYTES)


def same(left: bytes, right: bytes) -> bool:
    """Whether two MACs are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(left, right)


def mac_iso9797(
    algorithm: Literal[1, 3], key: bytes, data: bytes, *, padding: int = 2, length: int = 8, iv: bytes = _ZERO_IV
) -> bytes:
    """ISO/IEC 9797-1 with DES: algorithm 1 (key 8 bytes) or 3, the retail MAC (key 16 bytes); leftmost `length` bytes.

    `padding` 1, 2 or 3; `iv` 8 bytes, zero by the standard. Algorithm 1 is also the purchase MAC and TAC under an
    8-byte session key (card.md §6).
    """
    _need_length(length, 8)
    if algorithm == 1:
        need_key(key, 8, what="DES")
        return tdes.des_encrypt_cbc(key, iv, pad(padding, data, 8))[-8:][:length]
    if algorithm == 3:
        need_key(key, 16, what="DES")
        return _retail(key, pad(padding, data, 8), iv)[:length]
    raise Refused(Code.CRYPTO_MAC_ALGORITHM, algorithm=algorithm, cipher="DES")


def cmac(cipher: Algorithm | Literal["AES"], key: bytes, data: bytes) -> bytes:
    """CMAC (NIST SP 800-38B, GB/T 15852.1 algorithm 5): one block, 8 bytes for 3DES, 16 for SM4 and AES.

    Keys: SM4 16 bytes; 3DES 16 or 24; AES 16, 24 or 32.
    """
    keyed: SM4 | TripleDES | AES
    if cipher == "AES":
        need_key(key, 16, 24, 32, what="AES")
        keyed = AES(key)
    elif cipher == Algorithm.SM4:
        need_key(key, 16, what="SM4")
        keyed = SM4(key)
    elif cipher == Algorithm.TDES:
        need_key(key, 16, 24, what="3DES")
        keyed = TripleDES(key + key[:8] if len(key) == 16 else key)
    else:
        raise Refused(Code.CRYPTO_MAC_ALGORITHM, algorithm="CMAC", cipher=cipher)
    mac = CMAC(keyed)
    mac.update(data)
    return mac.finalize()


def mac_sm4(
    algorithm: int, key: bytes, data: bytes, *, key2: bytes = b"", padding: int = 2, length: int | None = None
) -> bytes:
    """GB/T 15852.1-2020 with SM4, algorithms 1 to 8; leftmost `length` bytes (default: all, 8 for TrCBC, else 16).

    1 CBC-MAC, 2 EMAC, 3 retail MAC, 4 MacDES, 6 LMAC take `padding` 1, 2 or 3; 5 CMAC, 7 TrCBC and 8 CBCR pad by their
    own rule. 2, 3 and 4 take a second 16-byte key `key2`, the others none. Do not use 8 for anything new: see `_cbcr`.
    """
    limit = 8 if algorithm == 7 else 16
    length = limit if length is None else length
    _need_length(length, limit)
    need_key(key, 16, what="SM4")
    if algorithm in (2, 3, 4):
        need_key(key2, 16, what="SM4")
    elif key2:
        raise Refused(Code.CRYPTO_KEY_LENGTH, what="SM4-MAC", expected=0, got=len(key2))
    if algorithm in (2, 3, 4):
        return _sm4_two_keys(algorithm, key, key2, pad(padding, data, 16))[:length]
    if algorithm == 1:
        return _chain(key, pad(padding, data, 16))[:length]
    if algorithm == 5:
        return cmac(Algorithm.SM4, key, data)[:length]
    if algorithm == 6:
        return _lmac(key, pad(padding, data, 16))[:length]
    if algorithm == 7:
        return _trcbc(key, data, length)
    if algorithm == 8:
        return _cbcr(key, data)[:length]
    raise Refused(Code.CRYPTO_MAC_ALGORITHM, algorithm=algorithm, cipher="SM4")


def _retail(key: bytes, padded: bytes, iv: bytes) -> bytes:
    """ISO 9797-1 algorithm 3: DES-CBC under the left half up to the last block, that one under both halves."""
    chained = tdes.des_encrypt_cbc(key[:8], iv, padded[:-8])[-8:] or iv
    return tdes.encrypt_ecb(key, _xor(chained, padded[-8:]))


def _chain(key: bytes, padded: bytes, start: bytes = _ZERO_BLOCK) -> bytes:
    """SM4-CBC over whole blocks: the last block; `start` itself when there is none."""
    return sm4.encrypt_cbc(key, start, padded)[-16:] or start


def _sm4_two_keys(algorithm: int, key: bytes, key2: bytes, padded: bytes) -> bytes:
    if algorithm == 2:
        return sm4.encrypt_ecb(key2, _chain(key, padded))
    if algorithm == 3:
        return sm4.encrypt_ecb(key, sm4.decrypt_ecb(key2, _chain(key, padded)))
    third = bytes(value ^ 0xF0 for value in key2)
    first = sm4.encrypt_ecb(third, sm4.encrypt_ecb(key, padded[:16]))
    return sm4.encrypt_ecb(key2, _chain(key, padded[16:], first))


def _lmac(key: bytes, padded: bytes) -> bytes:
    """LMAC (algorithm 6): two keys out of one; the last block goes under the second."""
    keys = sm4.encrypt_ecb(key, (1).to_bytes(16, "big") + (2).to_bytes(16, "big"))
    chained = _chain(keys[:16], padded[:-16])
    return sm4.encrypt_ecb(keys[16:], _xor(chained, padded[-16:]))


def _trcbc(key: bytes, data: bytes, length: int) -> bytes:
    """TrCBC (algorithm 7): CBC-MAC cut to its left end for whole blocks, to its right end where it was padded."""
    if data and len(data) % 16 == 0:
        return _chain(key, data)[:length]
    return _chain(key, pad(2, data, 16))[16 - length :]


def _cbcr(key: bytes, data: bytes) -> bytes:
    """CBCR (algorithm 8): CBC from E(0); the last input is turned one bit before it is encrypted.

    Whole blocks: rotated right. Padded: shifted left, the top bit dropped. The algorithm's name suggests a rotation
    there too, but only the shift gives the value published for the empty message, and values are what must agree.
    It follows that the top bit of a broken last block does not count: for checking others' values, never for our own.
    """
    whole = bool(data) and len(data) % 16 == 0
    padded = data if whole else pad(2, data, 16)
    chained = _chain(key, padded[:-16], sm4.encrypt_ecb(key, _ZERO_BLOCK))
    last = int.from_bytes(_xor(chained, padded[-16:]), "big")
    turned = last >> 1 | (last & 1) << 127 if whole else last << 1 & (1 << 128) - 1
    return sm4.encrypt_ecb(key, turned.to_bytes(16, "big"))


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


def _need_length(length: int, limit: int) -> None:
    if not 1 <= length <= limit:
        raise Refused(Code.CRYPTO_MAC_LENGTH, limit=limit, got=length)
