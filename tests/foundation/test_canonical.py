"""Canonical JSON: two texts of one decision would let an approval be bent after it was given."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any
from uuid import UUID

import pytest
from gmssl_pyx import sm3_hash
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.canonical import canonical, digest, plain_form, read_canonical
from sheka.foundation.refusals import Code

LARGEST = 2**53 - 1
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-LARGEST, LARGEST), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    CITY = 3


class Kind(Enum):
    PAIR = ("a", 1)


@given(values)
def test_json_reads_it_back_and_it_is_its_own_canonical_form(value: Any) -> None:
    text = canonical(value)
    assert json.loads(text) == value == read_canonical(text)
    assert canonical(json.loads(text)) == text


@given(st.dictionaries(texts, st.integers(0, 9), max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(value: dict[str, int], chance: Any) -> None:
    items = list(value.items())
    chance.shuffle(items)
    assert canonical(dict(items)) == canonical(value)


@given(values, values)
def test_different_values_have_different_digests(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digest(one) == digest(other)) is same


def test_the_sorting_example_of_rfc_8785() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical(dict.fromkeys(keys, 0)))) == ordered


def test_the_escapes_of_rfc_8785() -> None:
    written = canonical('\u20ac$\u000f\nA\'B"\\\\"/\b\t\f\r\u007f\u2028')
    assert written.decode() == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\\b\\t\\f\\r\u007f\u2028"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": [1, True, None], "a": "社"}, '{"a":"社","b":[1,true,null]}'),
        (date(2026, 11, 21), '"2026-11-21"'),
        (datetime(2026, 11, 21, 8, 0, tzinfo=timezone(timedelta(hours=8))), '"2026-11-21T00:00:00.000000Z"'),
        (datetime(2026, 11, 21, 0, 0, 0, 5, tzinfo=UTC), '"2026-11-21T00:00:00.000005Z"'),
        (Decimal("0.750"), '"0.75"'),
        (Decimal("1E+3"), '"1000"'),
        (Decimal("-0.00"), '"0"'),
        (b"\x01\xff", '"01ff"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        ((Colour.RED, Level.CITY, Kind.PAIR), '["red",3,["a",1]]'),
        (LARGEST, "9007199254740991"),
    ],
)
def test_how_values_are_written(value: object, text: str) -> None:
    assert canonical(value).decode() == text


@pytest.mark.parametrize(
    ("value", "code", "place"),
    [
        (0.5, Code.CANONICAL_TYPE, "$"),
        ({"a": [1, {"b": 2.0}]}, Code.CANONICAL_TYPE, "$.a[1].b"),
        (datetime(2026, 1, 1), Code.CANONICAL_TYPE, "$"),  # noqa: DTZ001
        (Decimal("NaN"), Code.CANONICAL_TYPE, "$"),
        ({1, 2}, Code.CANONICAL_TYPE, "$"),
        ({1: "a"}, Code.CANONICAL_KEY, "$"),
        ({"x": {Colour.RED: 1}}, Code.CANONICAL_KEY, "$.x"),
        ([LARGEST + 1], Code.CANONICAL_INTEGER, "$[0]"),
        (-LARGEST - 1, Code.CANONICAL_INTEGER, "$"),
        ("\ud800", Code.CANONICAL_TEXT, "$"),
        ({"\udfff": 1}, Code.CANONICAL_TEXT, "$"),
    ],
)
def test_what_cannot_be_written_names_its_place(value: object, code: Code, place: str, refused_by: Any) -> None:
    with refused_by(code) as found:
        canonical(value)
    assert found[0].facts["place"] == place


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,"a":1}',
        b"[1.0]",
        b"[NaN]",
        b"9007199254740993",
        b'"\\u00e9"',
        b'"\xff"',
        b'"\\ud800"',
        b"",
        b"{",
        b"[" * 100_000,
    ],
)
def test_a_text_that_is_not_canonical_is_refused(data: bytes, refused_by: Any) -> None:
    with refused_by(Code.CANONICAL_JSON):
        read_canonical(data)


def test_the_digest_is_sm3_of_the_text() -> None:
    value = {"card": "D2143569X", "fee": 2000}
    assert digest(value) == sm3_hash(canonical(value)).hex()
    assert len(digest({})) == 64


def test_plain_form_is_json_types_only() -> None:
    assert plain_form({"b": (date(2026, 1, 1),), "a": Level.CITY}) == {"a": 3, "b": ["2026-01-01"]}
