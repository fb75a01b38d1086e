"""The page of requirements: a proof is a test that passed in a whole run; a wrong number is an error, not a silent
gap.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import requirements

ROOT = Path(__file__).parents[2]
SUITE = """
import pytest

@pytest.mark.req("R5")
@pytest.mark.req("R2", "C2")
@pytest.mark.parametrize("day", [1, 2])
def test_fee(day):
    assert {fee} == 2000

def test_unmarked():
    assert True
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A suite of its own, with its own configuration."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_fees.py").write_text(SUITE.replace("{fee}", "2000"))
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = tests\nmarkers =\n    req(number): proof\n")
    return tmp_path


def run(suite: Path, *arguments: str) -> tuple[int, str]:
    """Run it with the plugin; status and output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST_"))}
    environment |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "xdist.plugin"]
    command += ["-p", "tests.support.requirements", "--requirements", "page.md", *arguments]
    done = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_a_whole_run_that_passed_writes_the_page(suite: Path, workers: list[str]) -> None:
    status, said = run(suite, *workers)
    assert status == 0, said
    page = (suite / "page.md").read_text("utf-8")
    known = requirements.requirements()
    assert f"Proven: 3 of {len(known)}." in page
    for number in ("R5", "R2", "C2"):
        entry = page.split(f"- **{number}** ")[1].split("\n- ")[0]
        assert entry.endswith("\n  - tests/test_fees.py: test_fee") or "test_fees.py: test_fee\n" in entry
    assert page.count("not yet") == len(known) - 3
    assert all(f"**{number}**" in page for number in known)


@pytest.mark.parametrize("narrowed", [["-k", "fee"], ["tests/test_fees.py"], ["-m", "req"], ["-x"], ["--lf"]])
def test_half_a_run_proves_nothing(suite: Path, narrowed: list[str]) -> None:
    run(suite, *narrowed)
    assert not (suite / "page.md").exists()


def test_a_failing_run_keeps_the_old_page(suite: Path) -> None:
    (suite / "page.md").write_text("old")
    (suite / "tests" / "test_fees.py").write_text(SUITE.replace("{fee}", "1999"))
    assert run(suite)[0] == 1
    assert (suite / "page.md").read_text() == "old"


def test_a_number_that_is_no_requirement_is_an_error(suite: Path) -> None:
    (suite / "tests" / "test_fees.py").write_text(SUITE.replace("{fee}", "2000").replace("R5", "R55"))
    status, said = run(suite)
    assert status != 0 and "R55" in said


def test_every_requirement_of_the_mission_is_listed() -> None:
    known = requirements.requirements()
    groups = {"S": 10, "H": 5, "R": 8, "C": 3, "I": 6, "K": 9}
    assert list(known) == [f"{letter}{number}" for letter, count in groups.items() for number in range(1, count + 1)]
    assert all(row["title"] and row["zh"] for row in known.values())
