"""Fixtures of these pages: the town's requests, and its worker."""

from __future__ import annotations

import pytest
from tests.support import town_engine


@pytest.fixture(scope="module")
def engine(town):
    """The town's worker runs: requests travel between the levels."""
    with town_engine.engine(town) as node:
        yield node


@pytest.fixture(scope="session")
def requests(town):
    """What the town put before deciders, by name: the key of the copy on which somebody acts next."""
    return town.facts["requests"]
