"""SM3 and HMAC-SM3 (GB/T 32905-2016; GM/T 0042 appendix D): digests, audit chains, machine log-in (C1)."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SM3, Hash
from cryptography.hazmat.primitives.hmac import HMAC

DIGEST_BYTES = 32

_SM3 = SM3()


def sm3(data: bytes) -> bytes:
    """The 32-byte SM3 digest of `data` (any length).

    >>> sm3(b"abc").hex()[:16]
    '66c7f0f462eeedd9'
    """
    digest = Hash(_SM3)
    digest.update(data)
    return digest.finalize()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC (GB/T 15852.2) with SM3: 32 bytes. A key of any length is allowed, as the standard says."""
    mac = HMAC(key, _SM3)
    mac.update(data)
    return mac.finalize()
