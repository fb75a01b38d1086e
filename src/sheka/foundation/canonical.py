"""Canonical JSON and its SM3 digest: one value, one text, so that its digest can name it (design §2 rules 4 and 5).

The form is RFC 8785 (keys sorted by UTF-16 code units, no white space, shortest escapes, UTF-8), narrower in one point:
no floating-point numbers at all. Beyond JSON's own types these are written as text: date and time ISO 8601 (a time must
have a zone and is written in UTC with microseconds), Decimal in plain notation, bytes in lower-case hex, UUID, and an
Enum as its value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias
from uuid import UUID

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

_LARGEST = 2**53 - 1


def canonical(value: object) -> bytes:
    """The one UTF-8 text of a value.

    Refused: CANONICAL_TYPE (float, time without zone, any other type), CANONICAL_KEY, CANONICAL_INTEGER,
    CANONICAL_TEXT.

    >>> canonical({"b": 1, "a": [True, None, "社"]}).decode()
    '{"a":[true,null,"社"],"b":1}'
    """
    plain = plain_form(value)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


def digest(value: object) -> str:
    """SM3 of the canonical form, 64 characters lower-case hex. Refused as `canonical`."""
    return sm3(canonical(value)).hex()


def plain_form(value: object, place: str = "$") -> Json:
    """The value in JSON's own types, keys in canonical order; `place` says where it stands. Refused as `canonical`."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain_form(value.value, place)
    if isinstance(value, int):
        return _integer(value, place)
    if isinstance(value, str):
        return _text(value, place)
    if isinstance(value, Mapping):
        return _object(value, place)
    if isinstance(value, list | tuple):
        return [plain_form(item, f"{place}[{index}]") for index, item in enumerate(value)]
    return _as_text(value, place)


def read_canonical(data: bytes) -> Json:
    """The value of a text that must be canonical already, as it comes from another node.

    Refused: CANONICAL_JSON when it is not JSON, holds a float, or is not the canonical text of its value.
    """
    try:
        value: Json = json.loads(data.decode("utf-8"), parse_float=_no_float, parse_constant=_no_float)
        again = canonical(value)
    except (ValueError, RecursionError, Refused) as error:
        raise Refused(Code.CANONICAL_JSON, problem=type(error).__name__) from None
    if again != data:
        raise Refused(Code.CANONICAL_JSON, problem="order, white space, escapes or a key given twice")
    return value


def _integer(value: int, place: str) -> int:
    if abs(value) > _LARGEST:
        raise Refused(Code.CANONICAL_INTEGER, place=place)
    return int(value)


def _text(value: str, place: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(Code.CANONICAL_TEXT, place=place) from None
    return str(value)


def _object(value: Mapping[Any, object], place: str) -> dict[str, Json]:
    plain: dict[str, Json] = {}
    for key in value:
        if type(key) is not str:
            raise Refused(Code.CANONICAL_KEY, place=place)
        _text(key, place)
    for key in sorted(value, key=lambda key: key.encode("utf-16-be")):
        plain[key] = plain_form(value[key], f"{place}.{key}")
    return plain


def _as_text(value: object, place: str) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    elif isinstance(value, date):
        return value.isoformat()
    elif isinstance(value, Decimal):
        if value.is_finite():
            return _decimal(value)
    elif isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    elif isinstance(value, UUID):
        return str(value)
    raise Refused(Code.CANONICAL_TYPE, place=place, kind=type(value).__name__)


def _decimal(value: Decimal) -> str:
    """Plain notation without trailing zeros, so that 0.50 and 0.5 are one value."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _no_float(text: str) -> Json:
    raise ValueError(text)
