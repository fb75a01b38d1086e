"""Field 55, what the chip said (C1): BER-TLV, tags of one or two bytes, lengths up to 255 (ISO/IEC 8825-1).

Tags that we do not know are kept in order: nothing that a card said is lost (EMV book 3, annex A for the tag numbers).
"""

from __future__ import annotations

from collections.abc import Iterable

from sheka.foundation.refusals import Code, Refused

CRYPTOGRAM = 0x9F26  # internal authentication result (8) or TAC (4)
SOURCE = 0x9F37  # the source of the internal authentication (8)
SEQUENCE = 0x9F36  # transaction sequence of the card (2)
MAC1 = 0x9F6B  # purchase MAC of the PSAM (4), local
PSAM_SEQUENCE = 0x9F41  # terminal transaction sequence (4)
AMOUNTS = 0x9F6D  # the three amounts of the settlement that the card signed (12), local
SESSION = 0x9F6E  # random of the card (4) and version of its DPK (1), for MAC1, local
KEY_VERSION = 0x9F6C  # name and version of the key behind the cryptogram, as DTK/1 in ASCII, local


def pack(items: Iterable[tuple[int, bytes]]) -> bytes:
    """(tag, value) pairs → bytes. Raises Refused(FIELD_INVALID) for a value above 255 bytes."""
    parts = []
    for tag, value in items:
        if len(value) > 255:
            raise _invalid(f"value of {tag:X}", len(value))
        length = bytes([len(value)]) if len(value) < 0x80 else bytes([0x81, len(value)])
        parts.append(tag.to_bytes(2 if tag > 0xFF else 1) + length + value)
    return b"".join(parts)


def unpack(data: bytes) -> list[tuple[int, bytes]]:
    """Bytes → (tag, value) pairs in order. Raises Refused(FIELD_INVALID) when the structure is broken."""
    found = []
    at = 0
    while at < len(data):
        try:
            tag, at = _tag(data, at)
            size, at = _length(data, at)
        except IndexError:
            raise _invalid("tag or length", at) from None
        if at + size > len(data):
            raise _invalid(f"value of {tag:X}", len(data) - at)
        found.append((tag, data[at : at + size]))
        at += size
    return found


def _tag(data: bytes, at: int) -> tuple[int, int]:
    if data[at] & 0x1F != 0x1F:
        return data[at], at + 1
    if data[at + 1] & 0x80:
        raise _invalid("tag of three bytes", at)
    return data[at] << 8 | data[at + 1], at + 2


def _length(data: bytes, at: int) -> tuple[int, int]:
    if data[at] < 0x80:
        return data[at], at + 1
    if data[at] != 0x81:
        raise _invalid("length", at)
    return data[at + 1], at + 2


def _invalid(what: str, got: int) -> Refused:
    return Refused(Code.FIELD_INVALID, field=55, name="chip data", expected=f"BER-TLV, {what}", got=got)
