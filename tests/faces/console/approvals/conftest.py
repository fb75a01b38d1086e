"""Fixtures of these pages: the town's requests, its worker, a wait for the next one-time code."""

from __future__ import annotations

import time

import pytest
from tests.support import town_engine

CODE_SECONDS = 10


@pytest.fixture(scope="module")
def engine(town):
    """The town's worker runs: requests travel between the levels."""
    with town_engine.engine(town) as node:
        yield node


@pytest.fixture(scope="session")
def requests(town):
    """What the town put before deciders, by name: the key of the copy on which somebody acts next."""
    return town.facts["requests"]


@pytest.fixture
def next_code():
    """next_code() returns when the authenticators of the tests' people show a code that nobody has used."""

    def wait():
        time.sleep(CODE_SECONDS - time.time() % CODE_SECONDS + 0.2)

    return wait
