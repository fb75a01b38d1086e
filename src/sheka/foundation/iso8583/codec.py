"""Encoding and decoding of ISO 8583 messages (S4), driven by the dictionary.

Form: message type as 4 ASCII digits, bitmaps as 8 or 16 bytes, text and lengths in ASCII, binary fields as they are.
A message is its type and a dict of field number → str (binary fields: bytes). The order of the dict has no meaning.

Speed: a plan is made once for each bitmap. It joins neighbouring text fields of fixed length into one regular pattern
that checks and splits them together; where it does not match, the slow way reads field by field and names the culprit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from operator import itemgetter
from typing import NamedTuple

from sheka.foundation.iso8583.dictionary import MAC_FIELDS, Field, checks, fields
from sheka.foundation.refusals import Code, Refused

Value = str | bytes
MAC_BYTES = 8
#: Plans kept: a hostile client that sends ever new bitmaps must not fill the memory, nor make us compile for each.
_KEPT_PLANS = 512
_COMPILED_AFTER = 4


class Message(NamedTuple):
    """A decoded message: `type` is the four digits, `fields` maps number → str, or bytes for binary fields."""

    type: str
    fields: dict[int, Value]


class _Run(NamedTuple):
    """Neighbouring text fields of fixed length, matched together."""

    match: Callable[[str, int], re.Match[str] | None]
    numbers: tuple[int, ...]
    width: int


_Step = _Run | Field


def decode(data: bytes) -> Message:
    """Bytes (without the length header) → message.

    Raises Refused: MESSAGE_TOO_SHORT, MESSAGE_TYPE_INVALID, FIELD_NOT_IN_DICTIONARY, FIELD_INVALID (naming number and
    name of the field), MESSAGE_TOO_LONG (bytes behind the last field).
    """
    if len(data) < 12:
        raise Refused(Code.MESSAGE_TOO_SHORT, got=len(data), expected=12)
    start = 20 if data[4] & 0x80 else 12
    plan = _known_plan(data[4:start])
    if plan is None:
        return _decode_slowly(data)
    text = data.decode("latin-1")
    found: dict[int, Value] = {}
    at = start
    for step in plan:
        if isinstance(step, _Run):
            matched = step.match(text, at)
            if matched is None:
                return _decode_slowly(data)
            found.update(zip(step.numbers, matched.groups(), strict=True))
            at += step.width
        else:
            begin, end = _extent(step, text, at)
            if begin < 0:
                return _decode_slowly(data)
            value = text[begin:end]
            if step.format == "b":
                found[step.number] = data[begin:end]
            elif _CHECKS[step.number](value):
                found[step.number] = value
            else:
                return _decode_slowly(data)
            at = end
    kind = text[:4]
    if at != len(data) or not (kind.isascii() and kind.isdigit()):
        return _decode_slowly(data)
    return Message(kind, found)


def encode(kind: str, values: Mapping[int, Value]) -> bytes:
    """Message type and fields → bytes (without the length header). Values have their exact length: nothing is padded.

    Raises Refused: MESSAGE_TYPE_INVALID, FIELD_NOT_IN_DICTIONARY, FIELD_INVALID.
    """
    if len(kind) != 4 or not (kind.isascii() and kind.isdigit()):
        raise Refused(Code.MESSAGE_TYPE_INVALID, got=kind)
    bitmap, plan = _encoder(tuple(values))
    parts = [kind.encode("ascii"), bitmap]
    for pick, numbers, match in plan:
        if match is not None:
            picked = pick(values)
            try:
                joined = "".join(picked)
            except TypeError:
                raise _first_invalid(numbers, values) from None
            matched = match(joined)
            if matched is None or matched.groups() != picked:
                raise _first_invalid(numbers, values)
            parts.append(joined.encode("ascii"))
        else:
            parts.append(_encode_one(_FIELDS[numbers[0]], values[numbers[0]]))
    return b"".join(parts)


def carries_mac(data: bytes) -> bool:
    """True when the last field of an encoded message is its MAC: field 64, or 128 when there is a second bitmap."""
    if len(data) < 12:
        return False
    if data[4] & 0x80:
        return len(data) >= 20 + MAC_BYTES and bool(data[19] & 1)
    return len(data) >= 12 + MAC_BYTES and bool(data[11] & 1)


def mac_field(numbers: Mapping[int, object] | tuple[int, ...]) -> int:
    """Which field carries the MAC of a message with these fields: 64, or 128 when any field is above 64."""
    return MAC_FIELDS[any(number > 64 for number in numbers)]


_FIELDS = fields()
_CHECKS = {number: pattern.fullmatch for number, pattern in checks().items()}


_plans: dict[bytes, tuple[_Step, ...]] = {}
_seen: dict[bytes, int] = {}


def _known_plan(bitmap: bytes) -> tuple[_Step, ...] | None:
    """The plan of a bitmap that was seen several times; None: read slowly (the bitmap may hold unknown fields)."""
    plan = _plans.get(bitmap)
    if plan is not None or len(_plans) >= _KEPT_PLANS:
        return plan
    if len(_seen) >= _KEPT_PLANS:
        _seen.clear()
    _seen[bitmap] = _seen.get(bitmap, 0) + 1
    numbers = _numbers(bitmap)
    if _seen[bitmap] < _COMPILED_AFTER or not all(number in _FIELDS for number in numbers):
        return None
    plan = _plans[bitmap] = _steps(numbers)
    return plan


def _steps(numbers: tuple[int, ...]) -> tuple[_Step, ...]:
    steps: list[_Step] = []
    run: list[Field] = []
    for number in (*numbers, 0):
        field = _FIELDS.get(number)
        if field is not None and not field.prefix and not field.is_binary:
            run.append(field)
            continue
        if run:
            steps.append(_run(tuple(run)))
            run = []
        if field is not None:
            steps.append(field)
    return tuple(steps)


@cache
def _run(run: tuple[Field, ...]) -> _Run:
    pattern = re.compile("".join(f"({field.pattern})" for field in run), re.ASCII)
    return _Run(pattern.match, tuple(field.number for field in run), sum(field.length for field in run))


def _numbers(bitmap: bytes) -> tuple[int, ...]:
    """The field numbers of a bitmap of 8 or 16 bytes; bit 1 only says that the second half is there."""
    bits = int.from_bytes(bitmap)
    width = len(bitmap) * 8
    return tuple(number for number in range(2, width + 1) if bits >> (width - number) & 1)


def _extent(field: Field, text: str, at: int) -> tuple[int, int]:
    """Where the value of a field begins and ends; (-1, -1) when the length is not a number, too great, or cut off."""
    if not field.prefix:
        return (at, at + field.length) if at + field.length <= len(text) else (-1, -1)
    digits = text[at : at + field.prefix]
    if len(digits) != field.prefix or not (digits.isascii() and digits.isdigit()):
        return -1, -1
    begin = at + field.prefix
    size = int(digits)
    return (begin, begin + size) if size <= field.length and begin + size <= len(text) else (-1, -1)


def _decode_slowly(data: bytes) -> Message:
    """Field by field: for bitmaps seldom seen, and to say what is wrong with a message."""
    text = data.decode("latin-1")
    if not (text[:4].isascii() and text[:4].isdigit()):
        raise Refused(Code.MESSAGE_TYPE_INVALID, got=ascii(text[:4])[1:-1])
    at = 20 if data[4] & 0x80 else 12
    if len(data) < at:
        raise Refused(Code.MESSAGE_TOO_SHORT, got=len(data), expected=at)
    found: dict[int, Value] = {}
    for number in _numbers(data[4:at]):
        field = _field(number)
        begin, end = _extent(field, text, at)
        if begin < 0 or not (field.is_binary or _CHECKS[number](text[begin:end])):
            raise _invalid(field, text[at:end] if begin >= 0 else text[at : at + field.prefix + field.length])
        found[number] = data[begin:end] if field.is_binary else text[begin:end]
        at = end
    if at != len(data):
        raise Refused(Code.MESSAGE_TOO_LONG, got=len(data), expected=at)
    return Message(text[:4], found)


_EncodeStep = tuple[
    Callable[[Mapping[int, Value]], tuple[str, ...]], tuple[int, ...], Callable[[str], re.Match[str] | None] | None
]


@lru_cache(maxsize=_KEPT_PLANS)
def _encoder(given: tuple[int, ...]) -> tuple[bytes, tuple[_EncodeStep, ...]]:
    numbers = tuple(sorted(given))
    for number in numbers:
        _field(number)
    width = 128 if numbers and numbers[-1] > 64 else 64
    bits = sum(1 << (width - number) for number in numbers)
    if width == 128:
        bits |= 1 << 127
    steps: list[_EncodeStep] = []
    for step in _steps(numbers):
        if isinstance(step, _Run):
            whole = re.compile("".join(f"({_FIELDS[number].pattern})" for number in step.numbers), re.ASCII)
            steps.append((_picker(step.numbers), step.numbers, whole.fullmatch))
        else:
            steps.append((_picker((step.number,)), (step.number,), None))
    return bits.to_bytes(width // 8), tuple(steps)


def _picker(numbers: tuple[int, ...]) -> Callable[[Mapping[int, Value]], tuple[str, ...]]:
    if len(numbers) == 1:
        only = numbers[0]
        return lambda values: (values[only],)  # type: ignore[return-value]
    return itemgetter(*numbers)


def _encode_one(field: Field, value: Value) -> bytes:
    if field.is_binary:
        if (
            not isinstance(value, bytes)
            or len(value) > field.length
            or (not field.prefix and len(value) != field.length)
        ):
            raise _invalid(field, value)
        raw = value
    else:
        if not isinstance(value, str) or not _CHECKS[field.number](value):
            raise _invalid(field, value)
        raw = value.encode("ascii")
    return b"%0*d%b" % (field.prefix, len(raw), raw) if field.prefix else raw


def _first_invalid(numbers: tuple[int, ...], values: Mapping[int, Value]) -> Refused:
    for number in numbers:
        value = values[number]
        if not isinstance(value, str) or not _CHECKS[number](value):
            return _invalid(_FIELDS[number], value)
    raise AssertionError("every field of the run is valid by itself")


def _field(number: int) -> Field:
    field = _FIELDS.get(number)
    if field is None:
        raise Refused(Code.FIELD_NOT_IN_DICTIONARY, field=number)
    return field


def _invalid(field: Field, value: Value) -> Refused:
    """What is wrong, without the value itself: it may be a card number or a PIN block."""
    expected = f"{field.format}{'..' if field.prefix else ' '}{field.length}"
    return Refused(Code.FIELD_INVALID, field=field.number, name=field.name, expected=expected, got=len(value))
