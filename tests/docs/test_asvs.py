"""docs/security/asvs.md: what it says is proved is proved by a test that there is."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security" / "asvs.md").read_text("utf-8")
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([123]) \| (met|partly|not) \| (.+?) \| (.*?) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[^:`]+)::(\w+)`")
SHAPING = frozenset(
    re.findall(
        r"\S+",
        """
        2.3.1 2.3.3 2.3.4 2.3.5 2.4.1 6.3.3 6.4.4 6.4.6 6.5.1 7.3.1 7.3.2 7.4.2 7.5.3 8.1.2 8.2.2 8.2.3
        8.3.2 8.4.1 8.4.2 11.1.1 11.1.2 11.2.2 16.2.1 16.2.2 16.2.5 16.3.1 16.3.2 16.3.3 16.4.2 16.4.3 16.5.3
        """,
    )
)
"""The items that shape the design of the office."""


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_test_that_the_page_names_exists():
    """A renamed test would leave a promise without its proof."""
    named = TEST.findall(PAGE)
    assert len(named) > 80
    missing = [f"{path}::{name}" for path, name in named if not (ROOT / path).exists() or name not in names_in(path)]
    assert not missing


def test_every_row_has_its_item_once_and_what_is_met_has_its_proof():
    rows = ROW.findall(PAGE)
    assert len(rows) == len(re.findall(r"^\| \d", PAGE, re.MULTILINE))
    assert len({item for item, *_ in rows}) == len(rows)
    assert not [item for item, _, state, _, tests in rows if state == "met" and not TEST.search(tests)]


def test_the_items_that_shape_the_office_are_all_there():
    assert set(SHAPING) <= {item for item, *_ in ROW.findall(PAGE)}
