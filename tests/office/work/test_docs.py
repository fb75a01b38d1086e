"""The page of the docs draws the table of states that guards the actions."""

from __future__ import annotations

from pathlib import Path

from sheka.office.staff.permissions import Permission, matrix
from sheka.office.work.states import ITEM

PAGE = Path(__file__).resolve().parents[3] / "docs" / "office" / "work.md"


def test_the_states_in_the_docs_are_those_of_the_code():
    assert ITEM.mermaid() in PAGE.read_text("utf-8")


def test_every_role_has_a_queue():
    """A role without `work.use` would hold a permission whose work it cannot take."""
    assert [role for role, held in matrix().items() if Permission.WORK_USE not in held] == []
