"""The attendant (H1): a temporary cluster never outlives the program that it was started for, however that ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sheka.equipment.server.postgres import PostgresCluster

pytestmark = pytest.mark.req("H1")
Starter = Callable[[], tuple[subprocess.Popen[str], subprocess.Popen[str]]]


@pytest.fixture
def start(open_folder: Path) -> Iterator[Starter]:
    """Start a program that sleeps, and an attendant that keeps a cluster for it."""
    begun: list[subprocess.Popen[str]] = []

    def make() -> tuple[subprocess.Popen[str], subprocess.Popen[str]]:
        watched = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], text=True)
        command = [sys.executable, "-m", "sheka.equipment.server.postgres_attendant"]
        command += [
            "--folder",
            str(open_folder / "postgres"),
            "--while-pid",
            str(watched.pid),
            "--setting",
            "fsync=off",
        ]
        attendant = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        begun.extend((watched, attendant))
        return watched, attendant

    yield make
    for process in begun:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", ["killed", "asked", "attendant killed"])
def test_the_cluster_ends_with_the_program(
    start: Starter, open_folder: Path, eventually: Callable[..., None], how: str
) -> None:
    watched, attendant = start()
    assert attendant.stdout is not None and attendant.stdout.readline() == "ready\n"
    cluster = PostgresCluster(open_folder / "postgres")
    with psycopg.connect(cluster.dsn("postgres", "postgres")) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)
    if how == "killed":
        watched.kill()
        watched.wait()
        assert attendant.wait(20) == 0
    elif how == "asked":
        attendant.terminate()
        assert attendant.wait(20) == 0
    else:
        attendant.send_signal(signal.SIGKILL)
        attendant.wait()
    eventually(lambda: not cluster.server_processes())


def test_a_cluster_that_cannot_start_has_a_sentence_and_a_status(start: Starter, open_folder: Path) -> None:
    (open_folder / "postgres").write_text("not a folder")
    _, attendant = start()
    _, said = attendant.communicate(timeout=20)
    assert attendant.returncode == 1
    assert said.startswith("2501 ")
