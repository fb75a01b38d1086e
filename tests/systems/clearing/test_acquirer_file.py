"""An acquirer's file is read whole or refused whole, and every wrong line is named (S8)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.foundation.refusals import Code, Refused
from sheka.systems.clearing.acquirer_file import LETTERS, TAKEN, FileLine, parse, render

DAY = date(2026, 11, 21)


def lines() -> st.SearchStrategy[list[FileLine]]:
    made = st.builds(
        FileLine,
        st.just(0),
        st.dates(date(2026, 1, 1), date(2027, 12, 31)),
        st.from_regex(r"[0-9]{12}", fullmatch=True).filter(str.isascii),
        st.integers(1, 999_999),
        st.sampled_from(sorted(LETTERS)),
        st.from_regex(r"[0-9A-Z]{9}", fullmatch=True).filter(str.isascii),
        st.integers(1, 10**12 - 1),
        st.from_regex(r"[0-9A-Za-z]{12}", fullmatch=True).filter(str.isascii),
    )
    return st.lists(made, max_size=8)


def one_line(amount: int = 100) -> FileLine:
    return FileLine(2, DAY, "460100000001", 7, 1, "D2143569X", amount, "000000000007")


@pytest.mark.req("S8")
@settings(max_examples=80, deadline=None)
@given(lines())
def test_what_is_written_is_read(items) -> None:
    parsed = parse(render("H46010000001", DAY, items))
    assert (parsed.acquirer, parsed.settlement_date) == ("H46010000001", DAY)
    assert [line.line for line in parsed.lines] == list(range(2, 2 + len(items)))
    assert [(one.stan, one.amount, one.kind) for one in parsed.lines] == [
        (one.stan, one.amount, one.kind) for one in items
    ]
    assert parsed.purchases == sum(one.amount for one in items if one.kind in TAKEN)
    assert parsed.reversals == sum(one.amount for one in items if one.kind not in TAKEN)


@pytest.mark.req("S8")
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_file_that_was_changed_anywhere_is_refused(data) -> None:
    good = render("H46010000001", DAY, [one_line(100), one_line(250)])
    where = data.draw(st.integers(0, len(good) - 2))
    value = data.draw(st.integers(0, 255).filter(lambda octet: octet != good[where]))
    with pytest.raises(Refused):
        parse(good[:where] + bytes([value]) + good[where + 1 :])


@pytest.mark.req("S8")
def test_wrong_lines_are_counted_and_the_first_is_named() -> None:
    good = render("H46010000001", DAY, [one_line(), one_line(), one_line()])
    bad = good.replace(b"|P|", b"|X|", 1).replace(b"D|20261121", b"D|20261332", 2)
    with pytest.raises(Refused) as refusal:
        parse(bad)
    assert refusal.value.code is Code.CLEARING_FILE_LINE
    assert (refusal.value.facts["count"], refusal.value.facts["line"]) == (2, 2)


@pytest.mark.req("S8")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: b"", Code.CLEARING_FILE_TRAILER),
        (lambda text: text[: text.rindex(b"T|")], Code.CLEARING_FILE_TRAILER),
        (lambda text: text.replace(b"T|2|", b"T|3|"), Code.CLEARING_FILE_TRAILER),
        (lambda text: text.replace(b"|200|0|", b"|201|0|"), Code.CLEARING_FILE_TRAILER),
        (lambda text: text.replace(b"H|1|", b"H|2|"), Code.CLEARING_FILE_HEADER),
        (lambda text: text.replace(b"20261121\n", b"20261131\n"), Code.CLEARING_FILE_HEADER),
        (lambda text: text.replace(b"D2143569X", b"X00000019"), Code.CLEARING_FILE_DIGEST),
        (lambda text: b"\xff" + text, Code.CLEARING_FILE_HEADER),
    ],
)
def test_each_fault_has_its_number(change, code) -> None:
    with pytest.raises(Refused) as refusal:
        parse(change(render("H46010000001", DAY, [one_line(), one_line()])))
    assert refusal.value.code is code
