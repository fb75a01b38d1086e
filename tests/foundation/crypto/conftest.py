"""Key and data strategies shared by the crypto tests."""

from __future__ import annotations

import pytest

from sheka.foundation.crypto.algorithms import Algorithm


@pytest.fixture(params=list(Algorithm), ids=lambda algorithm: algorithm.name)
def algorithm(request: pytest.FixtureRequest) -> Algorithm:
    """Each of the card's two algorithms."""
    return Algorithm(request.param)
