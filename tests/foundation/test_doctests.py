"""The examples in the docstrings of the foundation's values (numbers, names, money, calendar, regions …) are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

ROOTS = (
    "calendar",
    "canonical",
    "ethnic_groups",
    "money",
    "names",
    "numbers",
    "people",
    "refusals",
    "regions",
    "states",
    "terms",
)


def modules() -> list[str]:
    found = []
    for root in ROOTS:
        name = f"sheka.foundation.{root}"
        found.append(name)
        paths = getattr(importlib.import_module(name), "__path__", ())
        found += [info.name for info in pkgutil.walk_packages(paths, f"{name}.")]
    return found


@pytest.mark.parametrize("name", modules())
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    tried = sum(doctest.testmod(importlib.import_module(name)).attempted for name in modules())
    assert tried >= 40
