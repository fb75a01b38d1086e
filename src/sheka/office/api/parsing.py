"""What is taken as a body: JSON in UTF-8, each key once, not too deep, no character that nothing can keep."""

from __future__ import annotations

import json
import re
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

DEPTH = 16
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


class StrictParser(Parser):
    """The parser of the API's bodies and query strings."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The value of a JSON body. Raises Refused(API_JSON)."""
        return parse_json(request.body)


def parse_json(body: bytes) -> Any:
    """The value of a JSON text. Raises Refused(API_JSON).

    >>> parse_json(b'{"a": [1]}')
    {'a': [1]}
    """
    if depth_of(body) > DEPTH:
        raise _refused(f"超过 {DEPTH} 层", f"more than {DEPTH} levels deep")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise _refused("不是 UTF-8", "not UTF-8") from None
    except (ValueError, RecursionError):
        raise _refused("语法错误", "its syntax is wrong") from None
    _must_be_keepable(value)
    return value


def depth_of(body: bytes) -> int:
    """How deep brackets nest outside of strings, before anything is parsed.

    >>> depth_of(b'{"a[[[": [1, {}]}')
    3
    """
    deepest = depth = 0
    for byte in _STRING.sub(b"", body):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def keepable(text: str) -> bool:
    """Whether a text can be kept by a database and sent on: no NUL, no half of a surrogate pair."""
    return _UNKEEPABLE.search(text) is None


def _must_be_keepable(value: Any) -> None:
    if isinstance(value, str):
        if not keepable(value):
            raise _refused("含有不能保存的字符", "a character that cannot be kept")
    elif isinstance(value, list):
        for item in value:
            _must_be_keepable(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _must_be_keepable(key)
            _must_be_keepable(item)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _refused("同一键出现两次", "a key is given twice")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def _refused(zh: str, en: str) -> Refused:
    return Refused(Code.API_JSON, problem=Term(zh, en))
