"""The page of the docs draws the tables of states that guard the actions, and names every permission as it is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheka.office.incidents.states import AFFECTED, INCIDENT
from sheka.office.staff.permissions import Permission, everybody, matrix

PAGE = Path(__file__).resolve().parents[3] / "docs" / "office" / "incidents.md"


@pytest.mark.parametrize("table", [INCIDENT, AFFECTED])
def test_the_states_in_the_docs_are_those_of_the_code(table):
    assert table.mermaid() in PAGE.read_text("utf-8")


@pytest.mark.req("K9")
def test_everybody_may_report():
    """Lost: whoever sees it first has to look for somebody who may say so."""
    assert Permission.INCIDENT_REPORT in everybody()


@pytest.mark.req("K6")
def test_no_role_both_handles_and_closes():
    for role, held in matrix().items():
        assert not {Permission.INCIDENT_HANDLE, Permission.INCIDENT_CLOSE} <= held, role
        assert not {Permission.INCIDENT_PLAN, Permission.INCIDENT_DECIDE} <= held, role
