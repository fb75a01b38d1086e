"""Secret sharing t of n by Shamir, "How to share a secret" (CACM 22, 1979), over GF(2^8) (K6).

Each byte of the secret is the constant term of a random polynomial of degree t - 1; holder x (1 … n) has its value at
x. The field is that of AES (FIPS 197 §4.2: modulus x^8 + x^4 + x^3 + x + 1). Fewer than t shares tell nothing about the
secret. A share alone does not show whether it is right: keep the `commitment` of each beside the secret's use, so that
a wrong one is named before it is used. Table look-ups follow secret bytes: for few calls in a process of its own, not
for a shared processor under attack.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import cache

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused

MAX_HOLDERS = 16
_MODULUS = 0x11B


def need_sharing(threshold: int, holders: int) -> None:
    """`MACHINE_SHARING_BAD` unless 2 ≤ threshold ≤ holders ≤ 16."""
    if not 2 <= threshold <= holders <= MAX_HOLDERS:
        raise Refused(Code.MACHINE_SHARING_BAD, threshold=threshold, parts=holders)


def split(secret: bytes, threshold: int, holders: int) -> list[bytes]:
    """The shares of holders 1 … n, each as long as the secret."""
    need_sharing(threshold, holders)
    coefficients = [secret, *(secrets.token_bytes(len(secret)) for _ in range(threshold - 1))]
    shares = []
    for x in range(1, holders + 1):
        value = bytes(len(secret))
        for coefficient in reversed(coefficients):
            value = _plus(value.translate(_times(x)), coefficient)
        shares.append(value)
    return shares


def combine(shares: Mapping[int, bytes], x: int = 0) -> bytes:
    """The secret of shares by holder (as many as the threshold); with `x` the share that holder x must have."""
    if len(set(map(len, shares.values()))) != 1 or not all(1 <= holder <= 255 for holder in shares):
        raise Refused(Code.MACHINE_SHARING_BAD, threshold=len(shares), parts=len(shares))
    total = bytes(len(next(iter(shares.values()))))
    for holder, value in shares.items():
        weight = 1
        for other in shares:
            if other != holder:
                weight = multiply(multiply(weight, x ^ other), _inverse(holder ^ other))
        total = _plus(total, value.translate(_times(weight)))
    return total


def commitment(context: bytes, holder: int, share: bytes) -> bytes:
    """What shows a share right and tells nothing about it: SM3 over context, holder and share (256 random bits)."""
    return sm3(b"sheka share 1" + context + bytes((holder,)) + share)


def multiply(a: int, b: int) -> int:
    """Product in the field.

    >>> hex(multiply(0x57, 0x83))  # FIPS 197 §4.2
    '0xc1'
    """
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= _MODULUS
        b >>= 1
    return product


@cache
def _times(factor: int) -> bytes:
    return bytes(multiply(factor, value) for value in range(256))


@cache
def _inverse(value: int) -> int:
    return next(other for other in range(1, 256) if multiply(value, other) == 1)


def _plus(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")
