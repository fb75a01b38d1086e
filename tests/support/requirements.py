"""Which tests prove which requirement: gathers the `req` marks of a run and writes docs/requirements.md.

The page is written with `--requirements PAGE`, and only when the whole suite ran and passed: half a run proves nothing.
Requirements and their titles stand in docs/requirements.toml; a mark that names none of them is an error.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

LIST = Path(__file__).parents[2] / "docs" / "requirements.toml"
HEAD = """# Requirements and their proofs

Written by `make test` after a whole run that passed; do not edit.
The requirements stand in [requirements.toml](requirements.toml).
"""


def requirements() -> dict[str, dict[str, str]]:
    """Every requirement by its number: group, title, zh."""
    groups = tomllib.loads(LIST.read_text("utf-8"))
    return {
        number: {"group": group, "title": row[0], "zh": row[1]}
        for group, rows in groups.items()
        for number, row in rows.items()
    }


def page(proofs: dict[str, set[str]]) -> str:
    """The page for the proofs: requirement number → node ids of tests that passed."""
    known, lines, group = requirements(), [HEAD], ""
    proven = sum(1 for number in known if proofs.get(number))
    lines.append(f"Proven: {proven} of {len(known)}.\n")
    for number, row in known.items():
        if row["group"] != group:
            group = row["group"]
            lines.append(f"\n## {group}\n")
        lines.append(f"- **{number}** {row['title']} · {row['zh']}: {_tests(proofs.get(number, set()))}")
    return "\n".join(lines) + "\n"


def _tests(ids: set[str]) -> str:
    if not ids:
        return "not yet"
    files: dict[str, set[str]] = defaultdict(set)
    for identity in ids:
        file, _, name = identity.partition("::")
        files[file].add(name.split("[")[0])
    return "".join(f"\n  - {file}: {', '.join(sorted(names))}" for file, names in sorted(files.items()))


class Proofs:
    """Gathers what passed; with pytest-xdist in the controller, which sees the reports of all workers."""

    def __init__(self) -> None:
        self.found: dict[str, set[str]] = defaultdict(set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            for kind, number in report.user_properties:
                if kind == "req":
                    self.found[str(number)].add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        target = session.config.getoption("requirements")
        if exitstatus == 0 and whole(session.config) and not hasattr(session.config, "workerinput"):
            Path(target).write_text(page(self.found), "utf-8")


def whole(config: pytest.Config) -> bool:
    """Whether nothing narrows the run down."""
    narrowed = any(config.getoption(name, None) for name in ("keyword", "markexpr", "deselect", "lf", "ff", "maxfail"))
    return not narrowed and config.args_source is pytest.Config.ArgsSource.TESTPATHS


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--requirements", metavar="PAGE", help="write this page when the whole suite passed")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("requirements"):
        config.pluginmanager.register(Proofs(), "proofs")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known = requirements()
    for item in items:
        for mark in item.iter_markers("req"):
            for number in mark.args:
                if number not in known:
                    raise pytest.UsageError(f"{item.nodeid}: {number} is no requirement of {LIST.name}")
                item.user_properties.append(("req", number))
