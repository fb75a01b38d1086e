"""Which person an account belongs to, without keeping the person's number (R: separation of duties, PIPL).

The number is kept as HMAC-SM3 under the node's own key, cut to 128 bits: two accounts of one person meet, and a copy of
the table gives nobody a number back without the key.
"""

from __future__ import annotations

from django.conf import settings

from sheka.foundation.crypto.sm3 import hmac_sm3

CHARACTERS = 32


def person_digest(number: str) -> str:
    """32 characters of hexadecimal for a person's number, however it is spaced and cased."""
    plain = "".join(number.split()).upper()
    return hmac_sm3(settings.NODE.person_key, b"sheka staff person\0" + plain.encode()).hex()[:CHARACTERS]
