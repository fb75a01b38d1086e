"""Fixtures of these pages: the town with a worker and an encryption machine."""

from __future__ import annotations

import pytest
from tests.support import town_engine


@pytest.fixture(scope="module")
def engine(town):
    with town_engine.engine(town) as node:
        yield node
