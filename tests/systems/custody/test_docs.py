"""The documentation draws the states that the code has."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheka.systems.custody.states import CARRIER, COUNT, DESTRUCTION, ENTRUSTMENT, HAND_OVER, ORDER

PAGE = Path(__file__).parents[3] / "docs" / "systems" / "custody.md"


@pytest.mark.parametrize(
    "table", [CARRIER, ORDER, HAND_OVER, COUNT, ENTRUSTMENT, DESTRUCTION], ids=lambda table: table.name
)
def test_the_page_draws_the_table_as_it_is(table):
    assert f"<!-- states: {table.name} -->\n```mermaid\n{table.mermaid()}\n```" in PAGE.read_text("utf-8")
