"""The readable beginning of a message that cannot be decoded (S4): what may be kept of it without guessing.

A field behind the fault could be anything, a PIN block too: nothing from there on is given.
"""

from __future__ import annotations

from sheka.foundation.iso8583.codec import Value
from sheka.foundation.iso8583.dictionary import checks, fields


def readable_prefix(data: bytes) -> tuple[str, dict[int, Value]]:
    """Type and fields up to the first that does not fit the dictionary; ("", {}) when not even the type is readable.

    >>> readable_prefix(b"0200" + bytes([0x30, 0, 0, 0, 0, 0, 0, 0]) + b"000000" + b"00000000x000")
    ('0200', {3: '000000'})
    """
    start = 20 if data[4:5] >= b"\x80" else 12
    if len(data) < start or not data[:4].isdigit():
        return "", {}
    found: dict[int, Value] = {}
    text, at, bitmap = data.decode("latin-1"), start, data[4:start]
    bits, width = int.from_bytes(bitmap), len(bitmap) * 8
    for number in (one for one in range(2, width + 1) if bits >> (width - one) & 1):
        field = fields().get(number)
        if field is None:
            break
        digits = text[at : at + field.prefix]
        if field.prefix and not (len(digits) == field.prefix and digits.isascii() and digits.isdigit()):
            break
        begin = at + field.prefix
        at = begin + (int(digits) if field.prefix else field.length)
        if at > len(data) or at - begin > field.length:
            break
        if not field.is_binary and checks()[number].fullmatch(text[begin:at]) is None:
            break
        found[number] = data[begin:at] if field.is_binary else text[begin:at]
    return text[:4], found
