"""Refusal numbers in the SQL, in the closed list, in the response codes and in the documentation are the same (S4)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sheka.systems.accounts
import sheka.systems.transactions
from sheka.foundation.iso8583 import decode
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.response_codes import RESPONSE_CODES, response_code
from sheka.systems.transactions.switch.answers import answer_type, refuse_frame

ROOT = Path(__file__).parents[3]


def numbers_in(module, *names: str) -> set[int]:
    folder = Path(module.__file__).parent / "sql"
    text = "".join((folder / name).read_text("utf-8") for name in names)
    return {int(number) for number in re.findall(r"\b4[34]\d\d\b", text)}


@pytest.mark.req("S4")
def test_every_number_in_the_sql_is_a_refusal_with_a_response_code() -> None:
    known = {code.value: code for code in Code}
    used = numbers_in(
        sheka.systems.transactions, "purchase_within.sql", "verbs.sql", "batches.sql", "limits.sql", "blocks.sql"
    )
    assert used
    for number in used:
        assert known[number] in RESPONSE_CODES
        assert response_code(number) != "00"
    assert numbers_in(sheka.systems.accounts, "ledger.sql") <= set(known)
    assert response_code(0) == "00"


@pytest.mark.req("S4")
def test_the_documentation_lists_every_response() -> None:
    page = (ROOT / "docs" / "systems" / "transactions.md").read_text("utf-8")
    for code, answer in RESPONSE_CODES.items():
        assert f"| {answer} | {code.value} | {code.name} |" in page


@pytest.mark.parametrize(
    ("asked", "answered"), [("0200", "0210"), ("0201", "0210"), ("0420", "0430"), ("0421", "0430")]
)
def test_repeats_are_answered_like_the_first(asked, answered) -> None:
    assert answer_type(asked) == answered


def test_a_frame_that_cannot_be_read_is_answered_only_if_it_is_a_request() -> None:
    refusal = Refused(Code.FIELD_INVALID, field=4, name="amount", expected="n 12", got=3)
    said = decode(refuse_frame(b"0200 and so on", refusal))
    assert (said.type, said.fields) == ("0210", {39: "30", 44: "4", 63: "4404"})
    assert refuse_frame(b"0210" + bytes(8), refusal) is None
    assert refuse_frame(b"GET / HTTP", refusal) is None
    assert refuse_frame(b"", refusal) is None
