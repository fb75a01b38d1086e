"""Secrets and tokens: 256 random bits that are shown once and kept as a digest.

A digest without salt or stretching is enough for a value that nobody can guess or list (OWASP ASVS 5.0, 11.4.2 asks for
stretching of passwords, which these are not).
"""

from __future__ import annotations

import secrets

from sheka.foundation.crypto.sm3 import sm3


def new_code() -> str:
    """The name of a new client: no secret, but nobody else's."""
    return f"c-{secrets.token_hex(8)}"


def new_secret() -> str:
    """A secret of a client, to be shown once. Its first letters tell a scanner of leaked secrets what it is."""
    return f"shekas_{secrets.token_urlsafe(32)}"


def new_token() -> str:
    """An access token."""
    return f"shekat_{secrets.token_urlsafe(32)}"


def digest_of(value: str) -> str:
    """How a secret or a token is kept.

    >>> digest_of("abc")[:16]
    '66c7f0f462eeedd9'
    """
    return sm3(value.encode("utf-8", "surrogatepass")).hex()
