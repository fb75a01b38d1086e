"""Folders that an unprivileged user can reach, children to supervise, a supervisor in its own process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sheka.equipment.server import ports
from sheka.equipment.server.processes import marked, processes
from sheka.equipment.server.supervisor import ProcessSpec

RUNNER = """
import json, sys
from pathlib import Path
from sheka.equipment.server.supervisor import ProcessSpec, Supervisor
from sheka.foundation.refusals import Refused

folder, specs = Path(sys.argv[1]), json.loads(sys.argv[2])
try:
    children = [ProcessSpec(name, tuple(argv), stop_seconds=0.5) for name, argv in specs]
    with Supervisor(children, folder=folder, orphan_seconds=1.0) as supervisor:
        supervisor.start()
        print("mark", supervisor.mark, flush=True)
        supervisor.wait()
except Refused as refused:
    print("refused", refused.code.name, flush=True)
    sys.exit(1)
print("stopped", flush=True)
"""


@pytest.fixture
def sleeper() -> Callable[..., ProcessSpec]:
    """A process that sleeps until it is told to stop; `body` runs before."""

    def make(name: str = "sleeper", body: str = "", **more: object) -> ProcessSpec:
        code = f"import os, signal, subprocess, sys, time\n{body}\ntime.sleep(600)"
        return ProcessSpec(name, (sys.executable, "-c", code), **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def runs() -> Callable[[int], bool]:
    """Whether a process with this number runs (a zombie does not)."""

    def check(pid: int) -> bool:
        return any(row.pid == pid and row.state != "Z" for row in processes())

    return check


class Runner:
    """A supervisor in a process of its own."""

    def __init__(self, folder: Path, specs: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUNNER, str(folder), specs],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        self.first = self.process.stdout.readline().split()
        self.mark = self.first[1] if self.first[:1] == ["mark"] else ""

    def children(self) -> list[int]:
        """The processes that carry this supervisor's mark."""
        return marked(self.mark)

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, seconds: float = 20.0) -> tuple[int, str]:
        """Wait for the end: status and what it printed."""
        printed = self.process.communicate(timeout=seconds)[0]
        return self.process.returncode, printed


@pytest.fixture
def run_supervisor(tmp_path: Path) -> Iterator[Callable[..., Runner]]:
    """Start supervisors of (name, argv) lists in their own processes; whatever is left of them ends with the test."""
    started: list[Runner] = []

    def start(*specs: tuple[str, list[str]], folder: Path = tmp_path / "node") -> Runner:
        started.append(Runner(folder, json.dumps(specs)))
        return started[-1]

    yield start
    for runner in started:
        if runner.process.poll() is None:
            runner.process.kill()
        runner.process.communicate()
        for pid in runner.children():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def free_port() -> int:
    """A TCP port that nobody listens on."""
    return ports.free_port()
