"""The examples in the docstrings of readers and initialisation say what the code does."""

from __future__ import annotations

import doctest

from sheka.equipment.card_reader import pcsc
from sheka.equipment.initialisation import order


def test_examples() -> None:
    for module in (pcsc, order):
        found = doctest.testmod(module)
        assert found.attempted > 0
        assert found.failed == 0
