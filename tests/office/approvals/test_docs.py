"""The page about approvals says what the code does: its states, its numbers."""

from __future__ import annotations

import re
from pathlib import Path

from sheka.foundation.refusals import Code
from sheka.office.approvals.states import PROPOSAL, STATE_WORDS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "office" / "approvals.md"


def test_the_page_draws_the_table_of_states_as_it_is():
    assert PROPOSAL.mermaid() in PAGE.read_text("utf-8")
    assert set(STATE_WORDS) == set(PROPOSAL.states)


def test_the_page_names_only_numbers_that_there_are():
    known = {code.value for code in Code}
    named = {int(number) for number in re.findall(r"\b3[01]\d\d\b", PAGE.read_text("utf-8"))}
    assert named <= known | {3150, 3156} and len(named) > 20
