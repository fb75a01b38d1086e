"""A token's objects by name, and what a token says of itself (H5): what the machine and its worker processes share."""

from __future__ import annotations

from dataclasses import dataclass

KEY, LEFT, CRADLE = 0, 1, 2
"""Parts: the key itself; a 3DES key's left half twice, on which its MACs run; that from which the key was made."""

REF_BYTES = 16

BOUND = "token"
"""The record that says which token a store belongs to."""


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What a token says of itself before anybody logs in, and the algorithms it has by the numbers it was given."""

    label: str
    serial: str
    manufacturer: str
    model: str
    firmware: str
    algorithms: tuple[str, ...]
    pin_locked: bool
    pin_last_try: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object goes: its CKA_ID, its CKA_LABEL, and whether it only begets other keys."""

    id: bytes
    label: str
    begets: bool


def object_id(ref: str, part: int) -> bytes:
    """CKA_ID of one part of a key: its ref (16 bytes) ‖ the part (1 byte)."""
    return bytes.fromhex(ref) + bytes([part])
