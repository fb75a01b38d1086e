"""The world of a test run: shared by its workers, entered with the application's rights, gone with the run however
it ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sheka.equipment.server.processes import processes

ROOT = Path(__file__).parents[2]
SUITE = """
import os, pathlib, time, pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection

NOTES = pathlib.Path({notes!r})

@pytest.mark.parametrize("number", range(4))
@pytest.mark.django_db(transaction=True)
def test_committed_rows_are_gone_for_the_next_test(number):
    assert not ContentType.objects.filter(app_label="left over").exists()
    ContentType.objects.create(app_label="left over", model="row")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("sheka_app",)
    (NOTES / f"{{os.getpid()}}").write_text(os.environ["SHEKA_TEST_RUN"])

@pytest.mark.django_db
def test_that_takes_its_time():
    (NOTES / f"{{os.getpid()}}").write_text(os.environ["SHEKA_TEST_RUN"])
    time.sleep({seconds})
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a run of its own with two workers on a little suite, as it would be started from the command line."""
    (tmp_path / "notes").mkdir()
    mine = ("SHEKA_", "DJANGO_", "PYTEST_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    environment |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    started: list[subprocess.Popen[str]] = []

    def run(seconds: float) -> subprocess.Popen[str]:
        (tmp_path / "test_little.py").write_text(SUITE.format(notes=str(tmp_path / "notes"), seconds=seconds))
        (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
        (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    req(number): proof\n")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["-p", "pytest_django.plugin", "-p", "xdist.plugin", "-n", "2"]  # those of other tests load slowly
        started.append(
            subprocess.Popen(
                [*command, str(tmp_path)],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _run_folders(tmp_path: Path) -> set[Path]:
    return {Path(text) for note in (tmp_path / "notes").iterdir() if (text := note.read_text())}


def _servers_in(folder: Path) -> list[int]:
    found = []
    for row in processes():
        try:
            if row.state != "Z" and str(folder) in Path(f"/proc/{row.pid}/cmdline").read_text("utf-8", "replace"):
                found.append(row.pid)
        except OSError:
            continue
    return found


def _gone(folder: Path, seconds: float = 120.0) -> bool:
    deadline = time.monotonic() + seconds
    while folder.exists() or _servers_in(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_workers_share_one_cluster_and_it_goes_with_the_run(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    run = start(0.0)
    said = run.communicate(timeout=120)[0]
    assert run.returncode == 0, said
    assert "5 passed" in said
    (folder,) = _run_folders(tmp_path)
    assert _gone(folder)


def test_a_killed_run_leaves_nothing(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    run = start(600.0)
    deadline = time.monotonic() + 60
    while not _run_folders(tmp_path):
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    (folder,) = _run_folders(tmp_path)
    assert _servers_in(folder)
    run.kill()
    assert _gone(folder)
