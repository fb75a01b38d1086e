"""Serials of new carriers (K5)."""

from __future__ import annotations

import secrets

PREFIXES = {"master_key_card": "MK", "key_mother_card": "KM", "transmission_key_card": "TK", "psam": "PS"}


def manufactured(kind: str, count: int) -> list[str]:
    """New serials of this kind."""
    return [f"{PREFIXES[kind]}{secrets.token_hex(6).upper()}" for _ in range(count)]
