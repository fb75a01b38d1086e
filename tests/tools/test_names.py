"""What a tool takes from the program exists: nobody runs the tool between two releases, and a name may have moved."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

TOOLS = sorted((Path(__file__).parents[2] / "tools").glob("*.py"))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.stem)
def test_every_name_that_a_tool_takes_from_the_program_exists(tool: Path) -> None:
    taken = [node for node in ast.walk(ast.parse(tool.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in taken if (node.module or "").startswith("sheka")]
    missing = [
        f"{node.module}.{name.name}"
        for node in ours
        for name in node.names
        if not hasattr(import_module(str(node.module)), name.name)
    ]
    assert missing == []
