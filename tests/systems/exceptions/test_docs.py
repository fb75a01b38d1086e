"""The page about abnormal transactions says what the code does."""

from __future__ import annotations

from pathlib import Path

from sheka.systems.exceptions.labels import CLOSINGS, COMPLAINTS, EVENTS, REASONS
from sheka.systems.exceptions.models import Closing, Complaint, Reason
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.rules import test_names as names_of_tests
from sheka.systems.exceptions.sources import KINDS
from sheka.systems.exceptions.states import CASE, STATE_WORDS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "systems" / "exceptions.md"


def test_the_states_and_kinds_in_the_docs_are_those_of_the_code():
    page = PAGE.read_text("utf-8")
    assert f"<!-- states: {CASE.name} -->\n```mermaid\n{CASE.mermaid()}\n```" in page
    for kind in KINDS:
        assert f"`{kind}`" in page, kind


def test_every_word_is_there():
    assert set(REASONS) == set(Reason) and set(CLOSINGS) == set(Closing) and set(COMPLAINTS) == set(Complaint)
    assert set(STATE_WORDS) == set(CASE.states)
    assert {row.verb for row in CASE.transitions} <= set(EVENTS)


def test_the_policy_names_what_there_is():
    rules = policy().rules
    assert len({rule.name for rule in rules}) == len(rules)
    assert set(policy().days) == set(Reason.values)
    for rule in rules:
        assert rule.test in names_of_tests(), rule.name
        assert set(rule.reasons) <= set(Reason.values), rule.name
        assert (rule.effect == "close") == bool(rule.closing), rule.name
        assert rule.closing in ("", *Closing.values) and rule.source, rule.name
        assert (rule.effect == "suggest") == bool(rule.way), rule.name
    assert min(policy().days.values()) >= 1
