"""Custody on the real database, with people of three levels, a node of its own and carriers in Hainan."""

import pytest
from tests.support.carriers import approved_order, at_province, handed, node, people
from tests.support.organisations import appoint, installer, tree

__all__ = ["appoint", "approved_order", "at_province", "handed", "installer", "node", "people", "tree"]


@pytest.fixture(autouse=True)
def in_a_node(node):
    """Where the documents and the virtual carriers of a test lie."""
