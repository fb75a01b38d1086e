"""Fails where code leaves the scope of organisations: `python tools/check_scope.py [folder of the package]`.

Row-level security holds in the database; this holds the code to it. In the faces no manager of a model and no SQL: they
read by functions of the apps. `whole_node` stands only where check_scope.toml says, with the reason. Nobody but the
database backend speaks of `sheka.scope`. A line of the list that is no longer needed fails as well.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_suffix(".toml")
MANAGERS = {"objects", "_default_manager", "_base_manager"}
SQL = {"cursor", "raw", "RawSQL", "chunked_cursor"}
SETTINGS = ("sheka.scope", "row_security")


def offences(package: Path, allowed: dict[str, dict[str, str]]) -> list[str]:
    """`file:line what` for every offence, and for every line of the list that allows nothing."""
    found, used = [], set()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        for sort, line, what in _looks(name, ast.parse(path.read_text("utf-8"))):
            pattern = next((one for one in allowed.get(sort, {}) if fnmatch(name, one)), None)
            if pattern is None:
                found.append(f"{name}:{line} {what}")
            else:
                used.add((sort, pattern))
    unused = [(sort, one) for sort, rows in allowed.items() for one in rows if (sort, one) not in used]
    return found + [f"{LIST.name}: [{sort}] {one} allows nothing" for sort, one in unused]


def _looks(name: str, tree: ast.AST) -> Iterator[tuple[str, int, str]]:
    """Sort of offence, line, what it is."""
    in_faces = name.startswith("faces/")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) == "whole_node" and name != "office/scope.py":
            yield "whole_node", node.lineno, "enters the whole node"
        elif in_faces and isinstance(node, ast.Attribute) and node.attr in MANAGERS:
            yield "managers", node.lineno, f".{node.attr}: put a function that takes the actor into the app's queries"
        elif in_faces and isinstance(node, ast.Call) and _called(node) in SQL:
            yield "sql", node.lineno, f"{_called(node)}(): SQL in a face"
        elif isinstance(node, ast.Constant) and _speaks_of_settings(node.value):
            yield "settings", node.lineno, f"speaks of {' or '.join(SETTINGS)}"


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _speaks_of_settings(value: object) -> bool:
    """In a statement of SQL; a sentence that mentions `sheka.scope` in quotes does not count."""
    return isinstance(value, str) and "`sheka.scope`" not in value and any(word in value for word in SETTINGS)


def main() -> int:
    package = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "src" / "sheka"
    found = offences(package, tomllib.loads(LIST.read_text("utf-8")))
    sys.stderr.write("".join(f"{one}\n" for one in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
