"""What Linux knows of running processes, read from /proc (H1): who lives in a group, who carries a mark, how much
memory.

Every child of a supervisor carries a random mark in its environment (`MARK`), which grandchildren inherit even when
they leave the process group; so "nothing left running" can be checked and enforced (proc(5): stat, environ,
smaps_rollup).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MARK = "SHEKA_SUPERVISED_BY"
PROC = Path("/proc")
EXEC_CHILD = Path(__file__).with_name("exec_child.py")


@dataclass(frozen=True, slots=True)
class Identity:
    """A system user: the numbers that a process takes on."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """One row of /proc: numbers of the process, its parent, group and session, and its state letter (`Z` = zombie)."""

    pid: int
    state: str
    parent: int
    group: int
    session: int


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    log: IO[bytes] | int,
    identity: Identity | None = None,
    death_signal: int = signal.SIGTERM,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `argv` in its own session, tied to this process: it gets `death_signal` when the calling thread ends.

    `identity` only works for root. Standard output and error go to `log`, standard input is empty. `env` is the whole
    environment. Raises OSError when the interpreter itself cannot be started; a command that cannot be executed ends
    with status 127 and a line in the log.
    """
    who = "-" if identity is None else f"{identity.uid}:{identity.gid}"
    wrapper = [sys.executable, "-I", "-S", str(EXEC_CHILD), str(os.getpid()), str(int(death_signal)), who]
    return subprocess.Popen(
        [*wrapper, *argv],
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=cwd or Path("/"),
        start_new_session=True,
    )


def processes() -> Iterator[ProcessStat]:
    """Every process of this machine that /proc shows."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text("utf-8", "replace")
            except OSError:
                continue
            state, parent, group, session = text.rpartition(")")[2].split()[:4]
            yield ProcessStat(int(entry.name), state, int(parent), int(group), int(session))


def alive_in_group(group: int) -> list[int]:
    """The processes of a process group that are not zombies."""
    return [row.pid for row in processes() if row.group == group and row.state != "Z"]


def marked(mark: str) -> list[int]:
    """The processes whose environment carries `mark`, this one excepted."""
    wanted = f"{MARK}={mark}".encode()
    return [row.pid for row in processes() if row.pid != os.getpid() and wanted in _environment(row.pid)]


def working_in(folder: Path, *, program: str) -> list[int]:
    """The processes of `program` whose working folder is `folder`: for a database folder, its postmaster and backends.

    A shell that somebody opened there is none of them.
    """
    wanted = os.path.realpath(folder)
    found = []
    for row in processes():
        entry = PROC / str(row.pid)
        try:
            here = row.state != "Z" and str((entry / "cwd").readlink()) == wanted
            if here and (entry / "exe").readlink().name.split()[0] == program:
                found.append(row.pid)
        except OSError:
            continue
    return found


def memory_bytes(pid: int) -> int:
    """The memory of a process: shared pages in proportion (PSS), or whole (RSS) where PSS is hidden from us; 0 when
    gone.
    """
    for file, field in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            lines = (PROC / str(pid) / file).read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    return 0


def family(pid: int) -> list[int]:
    """A process and everything that descends from it."""
    children: dict[int, list[int]] = {}
    for row in processes():
        children.setdefault(row.parent, []).append(row.pid)
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting.extend(children.get(found[-1], []))
    return found


def send(pids: Iterable[int], number: int) -> None:
    """Signal each process; one that is gone already is no error."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def end_all(find: Callable[[], list[int]], *, grace: float, patience: float = 10.0) -> list[int]:
    """End what `find` lists: SIGTERM, after `grace` seconds SIGKILL. Returns what is still there after `patience`
    more.
    """
    deadline = time.monotonic() + grace
    found = find()
    if found and grace > 0:
        send(found, signal.SIGTERM)
    while found and time.monotonic() < deadline:
        time.sleep(0.05)
        found = find()
    deadline = time.monotonic() + patience
    while found and time.monotonic() < deadline:
        send(found, signal.SIGKILL)
        time.sleep(0.05)
        found = find()
    return found


def _environment(pid: int) -> list[bytes]:
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
