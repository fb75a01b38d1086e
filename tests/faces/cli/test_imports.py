"""Commands open the node before they import what needs its database: in a shell nothing is configured (H1).

What is lost if this fails: the command ends in a traceback wherever it is typed, and only our tests, where Django is
set up already, do not see it.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sheka.faces.cli

FOLDER = Path(sheka.faces.cli.__file__).parent
NEEDS_DJANGO = ("sheka.office", "sheka.systems", "django.")
OPENERS = {"open_node", "setup"}


def functions() -> list[tuple[str, ast.FunctionDef]]:
    trees = [(path.name, ast.parse(path.read_text("utf-8"))) for path in sorted(FOLDER.glob("*.py"))]
    return [(name, node) for name, tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def opened_at(function: ast.FunctionDef) -> int | None:
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    names = [(getattr(call.func, "id", getattr(call.func, "attr", "")), call.lineno) for call in calls]
    return min((line for name, line in names if name in OPENERS), default=None)


@pytest.mark.req("H1")
def test_a_command_opens_its_node_before_it_imports_what_needs_one():
    wrong, seen = [], 0
    for name, function in functions():
        if (opened := opened_at(function)) is None:
            continue
        seen += 1
        for node in ast.walk(function):
            early = isinstance(node, ast.ImportFrom) and node.lineno < opened and node.module
            if early and node.module.startswith(NEEDS_DJANGO):
                wrong.append(f"{name}:{node.lineno} {function.name} {node.module}")
    assert seen > 15
    assert not wrong
