"""Padding methods 1, 2 and 3 of ISO/IEC 9797-1 §6.3 (GB/T 15852.1), the ones that card MACs use (C1)."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused


def pad(method: int, data: bytes, block: int) -> bytes:
    """`data` padded to a positive whole number of `block`-byte blocks.

    Method 1: zeros as needed. Method 2: one byte 80, then zeros (always at least one byte). Method 3: a first block
    holding the length of `data` in bits, then method 1.

    >>> pad(2, b"ab", 8).hex()
    '6162800000000000'
    """
    if method == 1:
        return _zeros(data, block)
    if method == 2:
        return _zeros(data + b"\x80", block)
    if method == 3:
        return (8 * len(data)).to_bytes(block, "big") + _zeros(data, block)
    raise Refused(Code.CRYPTO_PADDING_METHOD, method=method)


def unpad2(data: bytes) -> bytes:
    """`data` without its method-2 padding; `CRYPTO_PADDING` when the mark 80 is missing.

    >>> unpad2(bytes.fromhex("6162800000000000"))
    b'ab'
    """
    text = data.rstrip(b"\x00")
    if not text.endswith(b"\x80"):
        raise Refused(Code.CRYPTO_PADDING)
    return text[:-1]


def _zeros(data: bytes, block: int) -> bytes:
    if not data:
        return bytes(block)
    return data + bytes(-len(data) % block)
