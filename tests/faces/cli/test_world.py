"""The demo world as a newcomer meets it (H1): one command, one Ctrl-C, one sentence when something is in the way."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sheka.equipment.server.lock import running
from sheka.equipment.server.node import NodeConfig
from sheka.equipment.server.ports import answers, free_port
from sheka.equipment.server.processes import family, marked, memory_bytes

pytestmark = pytest.mark.req("H1")
SHEKA = [sys.executable, "-m", "sheka.faces.cli.main"]
LIMIT_BYTES = 3 * 1024**3 // 2


class Sheka:
    """A run of the command line in its own process."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [*SHEKA, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def up(self) -> str:
        """Wait until it is up; what it printed so far."""
        assert self.process.stdout is not None and self.process.stderr is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                return "".join(lines)
        raise AssertionError("".join(lines) + self.process.stderr.read())

    def end(self, number: int | None = None) -> tuple[int, str, str]:
        """Send a signal, wait for the end: status, standard output, standard error."""
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture
def sheka() -> Iterator[Callable[..., Sheka]]:
    """Run `sheka` with arguments, outside of the test run's own node."""
    started: list[Sheka] = []
    mine = {"SHEKA_NODE", "SHEKA_DATABASE_ROLE", "DJANGO_SETTINGS_MODULE"}
    environment = {name: value for name, value in os.environ.items() if name not in mine}

    def run(*arguments: str | Path, **more: str) -> Sheka:
        started.append(Sheka([str(one) for one in arguments], {**environment, **more}))
        return started[-1]

    yield run
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGTERM)
        one.process.communicate()


@pytest.fixture
def ports() -> list[str]:
    return ["--web-port", str(free_port()), "--switch-port", str(free_port())]


def test_a_world_runs_keeps_its_data_and_is_cleared(
    sheka: Callable[..., Sheka], open_folder: Path, ports: list[str]
) -> None:
    folder = open_folder / "demo"
    world = sheka("world", "run", "--bare", "--folder", folder, *ports)
    assert f":{ports[1]}" in world.up()
    node = NodeConfig.load(folder / "node.toml")
    with urllib.request.urlopen(f"http://127.0.0.1:{node.web.port}/") as page:
        assert page.status == 200
    assert answers("127.0.0.1", node.switch.port)
    state = running(folder)
    names = [row["name"] for row in state["processes"]]
    machines = ["machine-ministry", "machine-hainan", "machine-haikou"]
    assert names == ["postgres", *machines, "migrate", "worker", "switch", "web"]
    assert sum(memory_bytes(pid) for pid in family(state["pid"])) < LIMIT_BYTES
    status, shown, _ = sheka("world", "status", "--folder", folder).end()
    assert status == 0 and all(name in shown for name in names)
    with psycopg.connect(node.dsn("owner")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS answer")
    for busy in (["world", "run", "--bare"], ["world", "reset"]):
        status, _, said = sheka(*busy, "--folder", folder).end()
        assert status == 1 and "2505" in said, "a second run or a reset leaves the first alone"

    assert world.end(signal.SIGINT)[0] == 0
    assert marked(state["mark"]) == []

    began = time.monotonic()
    world = sheka("world", "run", "--bare", "--folder", folder)
    world.up()
    assert time.monotonic() - began < 60, "issue 2 asks for 20 s; a test machine may be busy with other tests"
    with psycopg.connect(node.dsn("owner")) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (7,)
    assert world.end(signal.SIGTERM)[0] == 0

    status, _, _ = sheka("world", "reset", "--folder", folder).end()
    assert status == 0 and not folder.exists()
    assert sheka("world", "status", "--folder", folder).end()[0] == 1
    assert sheka("world", "reset", "--folder", folder).end()[0] == 0


def test_a_killed_world_takes_everything_along(
    sheka: Callable[..., Sheka], open_folder: Path, ports: list[str], eventually: Callable[..., None]
) -> None:
    folder = open_folder / "demo"
    world = sheka("world", "run", "--bare", "--folder", folder, *ports)
    world.up()
    state = running(folder)
    family_before = family(state["pid"])
    world.end(signal.SIGKILL)
    eventually(lambda: not marked(state["mark"]), 30)
    eventually(lambda: not NodeConfig.load(folder / "node.toml").cluster.server_processes(), 30)
    assert len(family_before) > 8
    assert not answers("127.0.0.1", int(ports[1]))


def test_a_port_in_use_is_one_sentence_and_nothing_runs(
    sheka: Callable[..., Sheka], open_folder: Path, ports: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", int(ports[1]))):
        status, out, said = sheka("world", "run", "--bare", "--folder", open_folder / "demo", *ports).end()
    assert status == 1
    assert re.search(rf"✗ 2503 .*{ports[1]}.*\n  .*{ports[1]}.*\n$", said)
    assert out == ""
    assert not (open_folder / "demo" / "postgres").exists(), "nothing was started"


@pytest.mark.parametrize("place", ["file", "kernel"])
def test_a_folder_that_cannot_be_written_is_one_sentence(
    sheka: Callable[..., Sheka], open_folder: Path, place: str
) -> None:
    (open_folder / "file").write_text("")
    folder = open_folder / "file" / "demo" if place == "file" else Path("/proc/sys/demo")
    status, _, said = sheka("world", "run", "--bare", "--folder", folder).end()
    assert status == 1
    assert said.startswith("✗ 2501 ") and len(said.splitlines()) == 2


@pytest.mark.parametrize("package", ["typer", "gunicorn", "psycopg"])
def test_a_missing_package_is_one_sentence(sheka: Callable[..., Sheka], open_folder: Path, package: str) -> None:
    (open_folder / "sitecustomize.py").write_text(f"import sys; sys.modules[{package!r}] = None")
    run = sheka("world", "run", "--bare", "--folder", open_folder / "demo", PYTHONPATH=str(open_folder))
    status, _, said = run.end()
    assert status == 1
    assert said.startswith("✗ 2506 ") and package in said and "make setup" in said
    assert len(said.splitlines()) == 2


def test_only_a_demo_is_cleared(sheka: Callable[..., Sheka], open_folder: Path) -> None:
    folder = open_folder / "haikou"
    create = ["node", "create", folder, "--name", "haikou", "--level", "city", "--organisation", "460100"]
    assert sheka(*create).end()[0] == 0
    node = NodeConfig.load(folder / "node.toml")
    assert (node.level, node.demo, node.machine("460100").name) == ("city", False, "m460100")
    status, _, said = sheka("world", "reset", "--folder", folder).end()
    assert status == 1 and "2546" in said
    status, _, said = sheka(*create).end()
    assert status == 1 and "2545" in said
    (open_folder / "letters").mkdir()
    (open_folder / "letters" / "mine.txt").write_text("not yours")
    assert sheka("world", "reset", "--folder", open_folder / "letters").end()[0] == 1
    assert (open_folder / "letters" / "mine.txt").exists()
