"""One supervised process (H1): how it is described, started, probed and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sheka.equipment.server import processes
from sheka.equipment.server.files import open_log
from sheka.equipment.server.processes import Identity
from sheka.foundation.refusals import Code, Refused


@dataclass(frozen=True)
class ProcessSpec:
    """What to run and how to know that it runs.

    Attributes:
        name: unique in the node; names the log file.
        argv: the command, with the path of the program.
        env: variables added to this process's environment; with `whole_env` it is the whole environment.
        ready: called again and again after the start until it answers True; quick, never raising. None: ready at once.
        ready_seconds: how long that may take before the start is refused.
        may_start: asked before every start; False puts the start off (PostgreSQL: old backends still there).
        stop_signal: what asks it to stop in order; also sent when the supervisor is killed.
        stop_seconds: after this long it is killed.
        ports: (host, port) that must be free before the node starts.
        identity: the user to run as (only when we are root).
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    whole_env: bool = False
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 30.0
    may_start: Callable[[], bool] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    ports: tuple[tuple[str, int], ...] = ()
    identity: Identity | None = None
    cwd: Path | None = None


class Child:
    """A process of the supervisor with its fate so far. Only the supervisor's thread calls the methods that change
    it.
    """

    def __init__(self, spec: ProcessSpec, folder: Path, mark: str, *, task: bool = False) -> None:
        self.spec = spec
        self.task = task
        self.log = folder / "logs" / f"{spec.name}.log"
        self.ready = False
        self.was_ready = False
        self.done = False
        self.crashes: list[float] = []
        self.not_before = time.monotonic()
        self._mark = mark
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    @property
    def pid(self) -> int | None:
        """The number of the running process, None when it does not run."""
        return None if self._process is None else self._process.pid

    def facts(self) -> dict[str, object]:
        """What the state file says of it."""
        if self.done:
            state = "done"
        elif self._process is None:
            state = "restarting" if self.crashes else "stopped"
        else:
            state = "ready" if self.ready else "starting"
        return {"name": self.spec.name, "pid": self.pid, "state": state, "restarts": len(self.crashes)}

    def advance(self, on_exit: Callable[[Child, int], None]) -> bool:
        """Do what is due now: start, probe, notice the end. Returns whether anything changed.

        `on_exit(child, status)` decides what an end means; a negative status is a signal's number.
        Raises Refused(SERVER_PROCESS_NOT_READY) when the readiness takes too long, and what `on_exit` raises.
        """
        if self.done:
            return False
        if self._process is None:
            return self._start_when_due()
        status = self._process.poll()
        if status is not None:
            self._bury()
            self.done = self.task and status == 0
            on_exit(self, status)
            return True
        if self.ready or self.task:
            return False
        if self.spec.ready is None or self.spec.ready():
            self.ready = self.was_ready = True
            return True
        if time.monotonic() - self._started > self.spec.ready_seconds:
            raise self._not_ready()
        return False

    def _not_ready(self) -> Refused:
        return Refused(
            Code.SERVER_PROCESS_NOT_READY,
            process=self.spec.name,
            seconds=round(self.spec.ready_seconds),
            log=self.log,
            last=self.last_line(),
        )

    def stop(self, patience: Callable[[float], float]) -> None:
        """Ask it to stop, wait, then end its whole process group; `patience` may shorten the wait while it lasts."""
        if self._process is None:
            return
        processes.send([self._process.pid], self.spec.stop_signal)
        begun = time.monotonic()
        while self._process.poll() is None:
            if time.monotonic() - begun > patience(self.spec.stop_seconds):
                processes.send([self._process.pid], signal.SIGKILL)
                self._process.wait()
            time.sleep(0.02)
        self._bury()

    def last_line(self) -> str:
        """The last line of its log that is not empty, for the sentence of a refusal."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - 4096))
                lines = file.read().decode("utf-8", "replace").split("\n")
        except OSError:
            return "-"
        return next((line.strip() for line in reversed(lines) if line.strip()), "-")[:300]

    def _start_when_due(self) -> bool:
        if time.monotonic() < self.not_before:
            return False
        if self.spec.may_start is not None and not self.spec.may_start():
            if time.monotonic() - self.not_before > self.spec.ready_seconds:
                raise self._not_ready()
            return False
        base = {} if self.spec.whole_env else dict(os.environ)
        env = {**base, **self.spec.env, processes.MARK: self._mark}
        with open_log(self.log) as log:
            self._process = processes.spawn(
                self.spec.argv,
                env=env,
                log=log,
                identity=self.spec.identity,
                death_signal=self.spec.stop_signal,
                cwd=self.spec.cwd,
            )
        self._started = time.monotonic()
        return True

    def _bury(self) -> None:
        """The leader is gone: end what stayed behind in its group."""
        if self._process is not None:
            group = self._process.pid
            processes.end_all(lambda: processes.alive_in_group(group), grace=1.0)
        self._process = None
        self.ready = False
