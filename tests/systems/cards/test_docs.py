"""The documentation draws the states that the code has."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheka.systems.cards.states import CARD, DESTRUCTION, EXCHANGE, RETURN

PAGE = Path(__file__).parents[3] / "docs" / "systems" / "cards.md"


@pytest.mark.parametrize("table", [CARD, EXCHANGE, RETURN, DESTRUCTION], ids=lambda table: table.name)
def test_the_page_draws_the_table_as_it_is(table):
    assert f"<!-- states: {table.name} -->\n```mermaid\n{table.mermaid()}\n```" in PAGE.read_text("utf-8")
