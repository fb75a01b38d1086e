"""What `make test` installs with apt (issue 2): only what is missing, and without the right to install one clear
sentence.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "setup_tests.sh"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the script on a system where `missing` packages are absent and we are user `uid`; apt-get only notes its
    calls.
    """
    programs = tmp_path / "bin"
    programs.mkdir()

    def make(*missing: str, uid: int = 0, apt_status: int = 0) -> subprocess.CompletedProcess[str]:
        absent = "|".join(missing) or "-"
        scripts = {
            "dpkg-query": f'for name; do :; done; case "$name" in {absent}) exit 1;; esac; echo "install ok installed"',
            "id": f"echo {uid}",
            "sudo": "exit 1",
            "apt-get": f'echo "$@" >> {tmp_path}/calls; echo "E: no network"; exit {apt_status}',
            "chromium": "exit 0",
        }
        for name, body in scripts.items():
            (programs / name).write_text(f"#!/bin/sh\n{body}\n")
            (programs / name).chmod(0o755)
        environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        return subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False, timeout=60)

    return make


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "calls").read_text().splitlines() if (tmp_path / "calls").exists() else []


def test_nothing_missing_nothing_done(run: Run, tmp_path: Path) -> None:
    done = run()
    assert (done.returncode, done.stdout, calls(tmp_path)) == (0, "", [])


def test_only_what_is_missing_is_installed(run: Run, tmp_path: Path) -> None:
    done = run("opensc", "swig")
    assert done.returncode == 0
    update, install = calls(tmp_path)
    assert update.endswith("update")
    assert install.split()[-2:] == ["opensc", "swig"]
    assert "pcscd" not in install


def test_without_the_right_to_install_the_packages_are_named(run: Run, tmp_path: Path) -> None:
    done = run("pcscd", "opensc", uid=1000)
    assert done.returncode == 1
    assert [line.rstrip().endswith("pcscd opensc") for line in done.stderr.splitlines()] == [True, True]
    assert calls(tmp_path) == []


def test_a_failing_apt_ends_in_one_sentence(run: Run) -> None:
    done = run("opensc", apt_status=100)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "The packages could not be installed, see above."
    assert "E: no network" in done.stderr
