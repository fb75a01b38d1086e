"""The documentation draws the state tables that the actions use."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheka.systems.keys.catalogue import entries
from sheka.systems.keys.labels import (
    CONSIGNMENT_STATES,
    CONSIGNMENT_TONES,
    KEY_STATES,
    KEY_TONES,
    MACHINE_STATES,
    MACHINE_TONES,
    PURPOSES,
    VERBS,
)
from sheka.systems.keys.states import CONSIGNMENT, KEY, MACHINE

PAGE = Path(__file__).resolve().parents[3] / "docs" / "systems" / "keys.md"


@pytest.mark.parametrize("table", [KEY, CONSIGNMENT, MACHINE], ids=lambda table: table.name)
def test_the_page_shows_the_table(table):
    assert f"<!-- states: {table.name} -->\n```mermaid\n{table.mermaid()}\n```" in PAGE.read_text("utf-8")


def test_every_state_verb_and_purpose_has_its_words():
    assert set(KEY.states) == set(KEY_STATES) == set(KEY_TONES)
    assert set(CONSIGNMENT.states) == set(CONSIGNMENT_STATES) == set(CONSIGNMENT_TONES)
    assert set(MACHINE.states) == set(MACHINE_STATES) == set(MACHINE_TONES)
    assert {row.verb for row in KEY.transitions} | {"plan"} == set(VERBS)
    assert {entry.purpose for entry in entries()} <= set(PURPOSES)
