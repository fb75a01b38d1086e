"""The little DER (ITU-T X.690 §10) that SM2 signatures, ciphertexts and certificates need (K4, C1)."""

from __future__ import annotations

from datetime import UTC, datetime

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_ID = 0x06
BOOLEAN = 0x01
SEQUENCE = 0x30


class DerError(ValueError):
    """The bytes are not DER, or not the structure expected. Callers turn it into their own refusal."""


def encode(tag: int, content: bytes) -> bytes:
    """Tag, shortest length, content."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE of encoded parts."""
    return encode(SEQUENCE, b"".join(parts))


def integer(value: int) -> bytes:
    """INTEGER of a number that is not negative.

    >>> integer(128).hex()
    '02020080'
    """
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return encode(OCTET_STRING, value)


def bits(value: bytes) -> bytes:
    """BIT STRING of whole bytes."""
    return encode(BIT_STRING, b"\x00" + value)


def object_id(dotted: str) -> bytes:
    """OBJECT IDENTIFIER.

    >>> object_id("1.2.156.10197.1.301").hex()
    '06082a811ccf5501822d'
    """
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return encode(OBJECT_ID, b"".join(_base128(arc) for arc in (40 * first + second, *rest)))


def time(at: datetime) -> bytes:
    """UTCTime up to 2049, GeneralizedTime after (RFC 5280 §4.1.2.5); `at` is aware, whole seconds are kept."""
    utc = at.astimezone(UTC)
    if 1950 <= utc.year < 2050:
        return encode(0x17, utc.strftime("%y%m%d%H%M%SZ").encode())
    return encode(0x18, utc.strftime("%Y%m%d%H%M%SZ").encode())


def _base128(arc: int) -> bytes:
    encoded = [arc & 0x7F]
    while arc := arc >> 7:
        encoded.append(arc & 0x7F | 0x80)
    return bytes(reversed(encoded))


class Reader:
    """Reads elements one after another; every slip from DER is a `DerError`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def element(self, tag: int) -> bytes:
        """The content of the next element, which must have `tag`."""
        return self._next(tag)[1]

    def whole(self, tag: int) -> bytes:
        """The next element with its tag and length."""
        start, _content = self._next(tag)
        return self._data[start : self._at]

    def skip(self) -> int:
        """Pass over the next element and answer its tag."""
        tag = self.peek()
        if tag is None:
            raise DerError("an element is missing")
        self._next(tag)
        return tag

    def peek(self) -> int | None:
        """The tag of the next element, None at the end."""
        return self._data[self._at] if self._at < len(self._data) else None

    def sequence(self) -> Reader:
        """A reader of the SEQUENCE that comes next."""
        return Reader(self.element(SEQUENCE))

    def integer(self) -> int:
        """The next INTEGER, not negative and in its shortest form."""
        content = self.element(INTEGER)
        if not content or content[0] & 0x80:
            raise DerError("an integer is empty or negative")
        if len(content) > 1 and content[0] == 0 and not content[1] & 0x80:
            raise DerError("an integer is longer than it needs to be")
        return int.from_bytes(content, "big")

    def end(self) -> None:
        """Nothing may follow."""
        if self._at != len(self._data):
            raise DerError(f"{len(self._data) - self._at} bytes follow the end")

    def _next(self, tag: int) -> tuple[int, bytes]:
        data, start = self._data, self._at
        if len(data) < start + 2 or data[start] != tag:
            raise DerError(f"tag {tag:02x} expected at byte {start}")
        size, at = data[start + 1], start + 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4 or len(data) < at + count:
                raise DerError(f"bad length at byte {start + 1}")
            size = int.from_bytes(data[at : at + count], "big")
            at += count
            if size < 0x80 or size < 1 << 8 * (count - 1):
                raise DerError(f"length longer than it needs to be at byte {start + 1}")
        if len(data) < at + size:
            raise DerError(f"element at byte {start} is cut")
        self._at = at + size
        return start, data[at : at + size]
