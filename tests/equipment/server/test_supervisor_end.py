"""The end of a supervisor (H1): by Ctrl-C, a storm of signals or a kill, no process of the node may be left running."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sheka.equipment.server.processes import marked

pytestmark = pytest.mark.req("H1")
Start = Callable[..., Any]

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time\nfor n in 1, 2, 15: signal.signal(n, 1)\ntime.sleep(600)",
]
WITH_CHILD = [sys.executable, "-c", f"import subprocess, time; subprocess.Popen({STUBBORN!r}); time.sleep(600)"]
DAEMON = [
    sys.executable,
    "-c",
    f"import os, subprocess, time; subprocess.Popen({STUBBORN!r}, start_new_session=True); time.sleep(600)",
]
GRANDPARENT = [sys.executable, "-c", f"import subprocess; subprocess.run({DAEMON!r})"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_process_and_is_no_failure(run_supervisor: Start, number: int) -> None:
    runner = run_supervisor(("one", SLEEP), ("two", SLEEP))
    assert len(runner.children()) == 2
    runner.send(number)
    assert runner.end() == (0, "stopped\n")
    assert runner.children() == []


@pytest.mark.parametrize(
    "argv", [STUBBORN, WITH_CHILD, DAEMON, GRANDPARENT], ids=["stubborn", "child", "daemon", "deep"]
)
def test_stubborn_children_and_grandchildren_are_ended_too(
    run_supervisor: Start, eventually: Callable[..., None], argv: list[str]
) -> None:
    runner = run_supervisor(("one", argv))
    eventually(lambda: len(runner.children()) >= (1 if argv is STUBBORN else 2))
    time.sleep(0.3)
    runner.send(signal.SIGTERM)
    assert runner.end()[0] == 0
    assert runner.children() == []


@pytest.mark.parametrize("seed", range(3))
def test_a_storm_of_signals_leaves_nothing(run_supervisor: Start, seed: int) -> None:
    choose = random.Random(seed)
    runner = run_supervisor(("one", SLEEP), ("two", STUBBORN), ("three", WITH_CHILD))
    time.sleep(choose.random() * 0.3)
    for _ in range(60):
        if runner.process.poll() is None:
            runner.send(choose.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))
        time.sleep(choose.random() * 0.01)
    status, printed = runner.end()
    assert (status, printed) == (0, "stopped\n")
    assert runner.children() == []


@pytest.mark.parametrize("seed", range(3))
def test_a_signal_in_the_middle_of_another_locks_nothing_up(run_supervisor: Start, seed: int) -> None:
    """Ctrl-C reaches the whole group, and make adds its own: one signal is still being handled when the next comes."""
    choose = random.Random(seed)
    runner = run_supervisor(("one", SLEEP))
    for _ in range(1500):
        if runner.process.poll() is None:
            runner.send(choose.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))
    assert runner.end() == (0, "stopped\n")
    assert runner.children() == []


def test_a_storm_from_the_first_moment_leaves_nothing(run_supervisor: Start, tmp_path: Path) -> None:
    for delay in (0.0, 0.05, 0.1, 0.2):
        runner = run_supervisor(("one", [sys.executable, "-c", "import time; time.sleep(600)"]))
        time.sleep(delay)
        runner.send(signal.SIGTERM)
        runner.send(signal.SIGINT)
        runner.end()
        assert runner.children() == []


@pytest.mark.parametrize("argv", [SLEEP, STUBBORN, WITH_CHILD, DAEMON], ids=["sleep", "stubborn", "child", "daemon"])
def test_a_killed_supervisor_takes_its_processes_along(
    run_supervisor: Start, eventually: Callable[..., None], argv: list[str]
) -> None:
    runner = run_supervisor(("one", argv))
    time.sleep(0.3)
    begun = time.monotonic()
    runner.send(signal.SIGKILL)
    eventually(lambda: not runner.children(), 25)
    assert argv is not SLEEP or time.monotonic() - begun < 2, "an ordinary child goes at once"


def test_the_next_supervisor_clears_what_a_killed_one_left(
    run_supervisor: Start, eventually: Callable[..., None], runs: Callable[[int], bool]
) -> None:
    first = run_supervisor(("one", STUBBORN))
    left = first.children()
    first.send(signal.SIGKILL)
    first.end()
    second = run_supervisor(("one", SLEEP))
    assert second.first[0] == "mark"
    assert not any(runs(pid) for pid in left)
    eventually(lambda: len(marked(second.mark)) == 1)


def test_a_supervisor_whose_folder_is_taken_leaves_the_other_alone(run_supervisor: Start) -> None:
    first = run_supervisor(("one", SLEEP))
    second = run_supervisor(("one", SLEEP))
    assert second.first == ["refused", "SERVER_ALREADY_RUNNING"]
    assert second.end()[0] == 1
    assert len(first.children()) == 1
