"""The card's two algorithms and their sizes (C1; card.md §1: algorithm id 01 3DES, 03 SM4)."""

from __future__ import annotations

from enum import IntEnum

from cryptography.hazmat.primitives.ciphers import modes

ECB = modes.ECB()  # noqa: S305
"""Block by block: the card formulae (diversification, authentication, check values) are defined on single blocks."""

KEY_BYTES = 16
"""Length of a card key of either algorithm: SM4, or double-length 3DES."""

FACTOR_BYTES = 8
"""Length of a diversification factor (JR/T 0025: a level's or a card's own number)."""


class Algorithm(IntEnum):
    """Algorithm id as the card answers it in its FCI (tag 9F0C → 86)."""

    TDES = 1
    SM4 = 3


_BLOCK_BYTES = {Algorithm.TDES: 8, Algorithm.SM4: 16}


def block_bytes(algorithm: Algorithm) -> int:
    """Block length in bytes: 8 for 3DES, 16 for SM4.

    >>> block_bytes(Algorithm.SM4)
    16
    """
    return _BLOCK_BYTES[Algorithm(algorithm)]
