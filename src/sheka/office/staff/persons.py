"""What is kept as a keyed digest only: which person an account belongs to (separation of duties, PIPL), and codes.

The number of a person is kept as HMAC-SM3 under the node's own key, cut to 128 bits: two accounts of one person meet,
and a copy of the table gives nobody a number back without the key.
"""

from __future__ import annotations

from django.conf import settings

from sheka.foundation.crypto.sm3 import hmac_sm3

CHARACTERS = 32


def person_digest(number: str) -> str:
    """32 characters of hexadecimal for a person's number, however it is spaced and cased."""
    return _digest(b"person", "".join(number.split()).upper())[:CHARACTERS]


def code_digest(code: str) -> str:
    """64 characters for a code of 120 random bits, however its groups are typed."""
    return _digest(b"code", "".join(character for character in code.upper() if character.isalnum()))


def _digest(use: bytes, text: str) -> str:
    return hmac_sm3(settings.NODE.person_key, b"sheka staff " + use + b"\0" + text.encode()).hex()
