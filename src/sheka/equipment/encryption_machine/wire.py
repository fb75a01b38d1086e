"""Values on the machine's line: a few binary codecs, and batches that cost no work per item (H5).

Numbers are big-endian. A text or blob has a 4-byte length. A batch is one run of bytes with the items' common width, so
that 10,000 blocks are read and written as one piece; items of different lengths carry a table of lengths.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sheka.foundation.refusals import Code, Refused

_U8, _U16, _U32 = struct.Struct(">B"), struct.Struct(">H"), struct.Struct(">I")
_PAIR = struct.Struct(">II")
_NONE = 0xFFFFFFFF
_MAX_TEXT = 4096
MAX_ITEMS = 2**20
"""Most items of one batch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """N byte strings in one run. `width` > 0: all of that length; `width` 0: `lengths` gives each one's length."""

    raw: bytes
    width: int
    lengths: tuple[int, ...] = ()

    @classmethod
    def of(cls, items: Iterable[bytes]) -> Batch:
        """Join a list of byte strings."""
        listed = list(items)
        lengths = tuple(map(len, listed))
        raw = b"".join(listed)
        if lengths and lengths[0] and lengths.count(lengths[0]) == len(lengths):
            return cls(raw, lengths[0])
        return cls(raw, 0, lengths)

    @property
    def count(self) -> int:
        return len(self.raw) // self.width if self.width else len(self.lengths)

    def items(self) -> list[bytes]:
        """The byte strings again."""
        raw = self.raw
        if self.width:
            width = self.width
            return [raw[at : at + width] for at in range(0, len(raw), width)]
        found, at = [], 0
        for length in self.lengths:
            found.append(raw[at : at + length])
            at += length
        return found


class Reader:
    """Takes values off a payload from the front; anything short or left over is `MACHINE_FRAME_BAD`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise Refused(Code.MACHINE_FRAME_BAD, what="payload cut short")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def number(self, form: struct.Struct) -> int:
        value: int = form.unpack(self.take(form.size))[0]
        return value

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def end(self) -> None:
        if self.left:
            raise Refused(Code.MACHINE_FRAME_BAD, what=f"{self.left} bytes too many")


@dataclass(frozen=True, slots=True)
class Codec:
    """How one kind of value is written (a list of pieces) and read."""

    write: Callable[[list[bytes], Any], None]
    read: Callable[[Reader], Any]


def _fixed(form: struct.Struct) -> Codec:
    return Codec(lambda out, value: out.append(form.pack(value)), lambda reader: reader.number(form))


def _write_blob(out: list[bytes], value: bytes) -> None:
    out.append(_U32.pack(len(value)))
    out.append(value)


def _read_blob(reader: Reader) -> bytes:
    return reader.take(reader.number(_U32))


def _write_text(out: list[bytes], value: str) -> None:
    _write_blob(out, value.encode())


def _read_text(reader: Reader) -> str:
    length = reader.number(_U32)
    if length > _MAX_TEXT:
        raise Refused(Code.MACHINE_FRAME_BAD, what="text too long")
    try:
        return reader.take(length).decode()
    except UnicodeDecodeError:
        raise Refused(Code.MACHINE_FRAME_BAD, what="text is not UTF-8") from None


def _write_batch(out: list[bytes], value: Batch) -> None:
    out.append(_PAIR.pack(value.width, value.count))
    if not value.width:
        out.append(struct.pack(f">{len(value.lengths)}I", *value.lengths))
    out.append(value.raw)


def _read_batch(reader: Reader) -> Batch:
    found = _read_optional(reader)
    if found is None:
        raise Refused(Code.MACHINE_FRAME_BAD, what="batch missing")
    return found


def _write_optional(out: list[bytes], value: Batch | None) -> None:
    if value is None:
        out.append(_PAIR.pack(_NONE, 0))
    else:
        _write_batch(out, value)


def _read_optional(reader: Reader) -> Batch | None:
    width, count = _PAIR.unpack(reader.take(_PAIR.size))
    if count > MAX_ITEMS:
        raise Refused(Code.MACHINE_FRAME_BAD, what=f"more than {MAX_ITEMS} items")
    if width == _NONE:
        if count:
            raise Refused(Code.MACHINE_FRAME_BAD, what="a missing batch has no items")
        return None
    if width:
        return Batch(reader.take(width * count), width)
    if 4 * count > reader.left:
        raise Refused(Code.MACHINE_FRAME_BAD, what="payload cut short")
    lengths: tuple[int, ...] = struct.unpack(f">{count}I", reader.take(4 * count))
    return Batch(reader.take(sum(lengths)), 0, lengths)


def listed(item: Codec) -> Codec:
    """A list of values of one codec, with a 4-byte count."""

    def write(out: list[bytes], values: Any) -> None:
        out.append(_U32.pack(len(values)))
        for value in values:
            item.write(out, value)

    def read(reader: Reader) -> list[Any]:
        count = reader.number(_U32)
        if count > reader.left:
            raise Refused(Code.MACHINE_FRAME_BAD, what="payload cut short")
        return [item.read(reader) for _ in range(count)]

    return Codec(write, read)


U8, U16, U32 = _fixed(_U8), _fixed(_U16), _fixed(_U32)
BLOB = Codec(_write_blob, _read_blob)
TEXT = Codec(_write_text, _read_text)
TEXTS = listed(TEXT)
BLOBS = listed(BLOB)
OCTETS = Codec(lambda out, value: _write_blob(out, bytes(value)), lambda reader: tuple(_read_blob(reader)))
BATCH = Codec(_write_batch, _read_batch)
OPTIONAL_BATCH = Codec(_write_optional, _read_optional)
BOOLS = Codec(
    lambda out, value: _write_blob(out, bytes(value)),
    lambda reader: [octet != 0 for octet in _read_blob(reader)],
)


def record(build: Callable[..., Any], **fields: Codec) -> Codec:
    """A dataclass: its fields in order, each by its codec; `build` makes it again and may refuse a value."""

    def write(out: list[bytes], value: Any) -> None:
        for name, codec in fields.items():
            codec.write(out, getattr(value, name))

    def read(reader: Reader) -> Any:
        found = {name: codec.read(reader) for name, codec in fields.items()}
        try:
            return build(**found)
        except ValueError as error:
            raise Refused(Code.MACHINE_FRAME_BAD, what=str(error)) from None

    return Codec(write, read)


def encode(shape: tuple[Codec, ...], values: tuple[Any, ...]) -> bytes:
    """The values as one payload; ValueError when a number does not fit its field."""
    out: list[bytes] = []
    try:
        for codec, value in zip(shape, values, strict=True):
            codec.write(out, value)
    except struct.error as error:
        raise Refused(Code.MACHINE_FRAME_BAD, what=str(error)) from None
    return b"".join(out)


def decode(shape: tuple[Codec, ...], payload: bytes) -> list[Any]:
    """The values of a payload; `MACHINE_FRAME_BAD` when it is short, long or malformed."""
    reader = Reader(payload)
    values = [codec.read(reader) for codec in shape]
    reader.end()
    return values


def encode_refusal(error: Refused) -> bytes:
    """A refusal for the line: its number and facts as text."""
    facts = [(str(name), str(value)[:512]) for name, value in error.facts.items()][:16]
    out: list[bytes] = [_U16.pack(error.number), _U8.pack(len(facts))]
    for name, value in facts:
        _write_text(out, name)
        _write_text(out, value)
    return b"".join(out)


def decode_refusal(payload: bytes) -> Refused:
    """The refusal that the machine answered, ready to raise."""
    reader = Reader(payload)
    number = reader.number(_U16)
    facts = {_read_text(reader): _read_text(reader) for _ in range(reader.number(_U8))}
    reader.end()
    try:
        code = Code(number)
    except ValueError:
        return Refused(Code.MACHINE_FRAME_BAD, what=f"refusal {number} is not known here")
    return Refused(code, **{name: value for name, value in facts.items() if name != "code"})
