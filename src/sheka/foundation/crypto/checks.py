"""Length checks that every cipher call makes first: a wrong key or block is refused, never cut (C1)."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused


def need_key(key: bytes, *lengths: int, what: str) -> None:
    """Refuse a key whose length is none of `lengths` (bytes)."""
    if len(key) not in lengths:
        expected = "/".join(str(length) for length in lengths)
        raise Refused(Code.CRYPTO_KEY_LENGTH, what=what, expected=expected, got=len(key))


def need_blocks(data: bytes, block: int, what: str) -> None:
    """Refuse data that is not a whole number of blocks of `block` bytes (none is allowed)."""
    if len(data) % block:
        raise Refused(Code.CRYPTO_BLOCK_LENGTH, what=what, expected=block, got=len(data))


def need_iv(iv: bytes, expected: int, what: str) -> None:
    """Refuse an initial vector or nonce of another length than `expected` bytes."""
    if len(iv) != expected:
        raise Refused(Code.CRYPTO_IV_LENGTH, what=what, expected=expected, got=len(iv))


def need_length(data: bytes, expected: int, what: str) -> None:
    """Refuse any other fixed-length input (factor, challenge, counter) of the wrong length."""
    if len(data) != expected:
        raise Refused(Code.CRYPTO_INPUT_LENGTH, what=what, expected=expected, got=len(data))
