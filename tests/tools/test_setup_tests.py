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

    def make(
        *missing: str, uid: int = 0, apt_status: int = 0, offered: bool = True, bare: bool = True
    ) -> subprocess.CompletedProcess[str]:
        absent = "|".join(missing) or "-"
        scripts = {
            "dpkg-query": f'for name; do :; done; case "$name" in {absent}) exit 1;; esac; echo "install ok installed"',
            "id": f"echo {uid}",
            "sudo": "exit 1",
            "apt-get": f'echo "$@" >> {tmp_path}/calls; echo "E: no network"; exit {apt_status}',
            "apt-cache": f"exit {0 if offered else 100}",
            "chromium": "exit 0",
        }
        if bare:
            scripts["chromium-headless-shell"] = "exit 0"
        for name, body in scripts.items():
            (programs / name).write_text(f"#!/bin/sh\n{body}\n")
            (programs / name).chmod(0o755)
        elsewhere = tmp_path / "usr"  # the programs of this machine, but not its browser without windows
        elsewhere.mkdir(exist_ok=True)
        for folder in ("/usr/bin", "/bin", "/usr/local/bin"):
            for program in Path(folder).iterdir():
                if program.name != "chromium-headless-shell" and not (elsewhere / program.name).exists():
                    (elsewhere / program.name).symlink_to(program)
        environment = {**os.environ, "PATH": f"{programs}:{elsewhere}"}
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


@pytest.mark.parametrize(("missing", "offered", "installed"), [((), True, 1), ((), False, 0), (("swig",), True, 2)])
def test_a_browser_without_windows_is_taken_where_it_is_offered_and_done_without_elsewhere(
    run: Run, tmp_path: Path, missing: tuple[str, ...], offered: bool, installed: int
) -> None:
    done = run(*missing, offered=offered, bare=False, apt_status=0)
    assert done.returncode == 0
    taken = (
        [call.split()[-installed:] for call in calls(tmp_path) if " install " in call] if installed else calls(tmp_path)
    )
    assert taken == ([[*missing, "chromium-headless-shell"]] if installed else [])
    assert run(bare=False, apt_status=100).returncode == 0, "tests do without it"


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
