"""Runs the processes of a node (H1): in order, watched, restarted with back-off, and none left behind whatever
happens.

One thread does every spawn, probe, restart and stop; signals only set a flag for it, so a second signal, an exception
in the program or the end of the main thread all lead through the same orderly stop. Children are tied to that thread
by PR_SET_PDEATHSIG, and a warden process ends the rest should this process be killed outright.
"""

from __future__ import annotations

import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from sheka.equipment.server import ports, processes
from sheka.equipment.server.child import Child, ProcessSpec
from sheka.equipment.server.lock import NodeLock
from sheka.foundation.refusals import Code, Refused

__all__ = ["ProcessSpec", "Stopped", "Supervisor"]

TICK_SECONDS = 0.05
RESTARTS_ALLOWED = 5
CALM_SECONDS = 60.0
BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
HURRIED_SECONDS = 2.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Raised once in the main thread when a signal or a failing process ends the run; `with Supervisor(...)` swallows
    it.
    """


class Supervisor:
    """The processes of one node. Use it as a context manager in the main thread.

    Parameters: `specs` started by `start()`; `folder` the node's folder, where the lock, the state file and `logs/`
    live; `handle_signals` False leaves the signal handlers alone (for use outside the main
    thread); `orphan_seconds` is what children may take for an orderly end after this process was killed.

    Leaving the block stops everything in reverse order. Raises Refused(SERVER_ALREADY_RUNNING,
    SERVER_FOLDER_UNWRITABLE) on entry, Refused(SERVER_PORT_IN_USE, SERVER_PROCESS_NOT_READY, SERVER_PROCESS_FAILED)
    from `start`, and Refused(SERVER_PROCESS_GAVE_UP) from the block when a process keeps crashing.
    """

    def __init__(
        self,
        specs: Iterable[ProcessSpec] = (),
        *,
        folder: Path,
        handle_signals: bool = True,
        orphan_seconds: float = 15.0,
    ) -> None:
        self.folder = folder
        self.mark = secrets.token_hex(16)
        self._specs = tuple(specs)
        self._children: list[Child] = []
        self._orders: queue.SimpleQueue[Child] = queue.SimpleQueue()
        self._stop = self._hurry = False  # a signal sets them between any two steps, also of itself: so no lock
        self._failure: Exception | None = None
        self._handle_signals = handle_signals
        self._orphan_seconds = orphan_seconds
        self._armed = False
        self._previous_handlers: dict[int, Any] = {}
        self._thread = threading.Thread(target=self._work, name="supervisor")
        self._lock = NodeLock(folder, self.mark, orphan_seconds)
        self._warden: subprocess.Popen[bytes] | None = None

    # ---- what the program calls -------------------------------------------------------------------------------------

    def __enter__(self) -> Supervisor:
        self._lock.take()
        try:
            self._warden = _start_warden(self.mark, self._orphan_seconds)
            if self._handle_signals:
                self._armed = True
                for number in SIGNALS:
                    if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                        continue  # nohup: whoever started us wants to log out
                    self._previous_handlers[number] = signal.signal(number, self._signalled)
            self._thread.start()
        except BaseException:
            self._stop = True
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._armed = False
        self.stop()
        if self._failure is not None and (kind is None or error is not self._failure):
            raise self._failure from None
        return kind is not None and issubclass(kind, Stopped)

    @property
    def stopping(self) -> bool:
        """Whether the end has begun: by a signal, a failure or `stop`."""
        return self._stop

    def start(self, *more: ProcessSpec) -> None:
        """Start the processes in order, each when the one before is ready; returns when all are ready.

        The first call also starts those given to the constructor. A port that another program holds is refused before
        anything is started.
        """
        specs, self._specs = (*self._specs, *more), ()
        self.require_ports(specs)
        for child in (children := [Child(spec, self.folder, self.mark) for spec in specs]):
            self._orders.put(child)
        self._wait_until(lambda: all(child.ready for child in children))

    def require_ports(self, specs: Iterable[ProcessSpec]) -> None:
        """Raise Refused(SERVER_PORT_IN_USE, SERVER_ADDRESS) when one of them could not listen."""
        for spec in specs:
            for host, port in spec.ports:
                ports.require_free(host, port, spec.name)

    def run(self, spec: ProcessSpec) -> None:
        """Run a task to its end (a migration, say), watched like the others.

        Raises Refused(SERVER_PROCESS_FAILED) with its last line when it does not end with status 0.
        """
        child = Child(spec, self.folder, self.mark, task=True)
        self._orders.put(child)
        self._wait_until(lambda: child.done)

    def wait(self) -> None:
        """Stay until a signal or a failing process ends the run."""
        self._wait_until(lambda: False)

    def stop(self) -> None:
        """Stop every process in reverse order; returns when nothing of ours runs any more."""
        self._stop = True
        while self._thread.is_alive():
            self._thread.join(0.2)
        self._release()

    def hurry(self) -> None:
        """Cut the patience of a stop under way short: who is still there after two seconds is killed."""
        self._hurry = True

    # ---- signals and waiting (main thread) --------------------------------------------------------------------------

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self._stop and self._failure is None:
            self.hurry()
        self._stop = True
        if self._armed:
            self._armed = False
            raise Stopped

    def _wait_until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            if self._stop or not self._thread.is_alive():
                break
            time.sleep(TICK_SECONDS)
        else:
            return
        if self._failure is not None:
            self._armed = False
            raise self._failure
        raise Stopped

    def _release(self) -> None:
        if self._warden is not None:
            _dismiss_warden(self._warden)
            self._warden = None
        self._lock.release()
        while self._previous_handlers:
            number, handler = self._previous_handlers.popitem()
            signal.signal(number, handler)

    # ---- the working thread -----------------------------------------------------------------------------------------

    def _work(self) -> None:
        waiting: list[Child] = []
        try:
            while not self._stop and threading.main_thread().is_alive():
                while not self._orders.empty():
                    waiting.append(self._orders.get())
                self._tick(waiting)
                time.sleep(TICK_SECONDS)
        except Exception as error:  # kept, and raised in the main thread
            self._fail(error)
        finally:
            self._stop = True
            self._stop_all()

    def _tick(self, waiting: list[Child]) -> None:
        if waiting and all(child.ready or child.done for child in self._children):
            self._children.append(waiting.pop(0))
        changed = False
        for child in self._children:
            changed |= child.advance(self._on_exit)
        if changed:
            self._describe()

    def _on_exit(self, child: Child, status: int) -> None:
        """A child ended by itself: decide between a restart and the end of the run."""
        if child.task and status == 0:
            return
        if child.task or not child.was_ready:
            raise Refused(
                Code.SERVER_PROCESS_FAILED,
                process=child.spec.name,
                status=_status_words(status),
                log=child.log,
                last=child.last_line(),
            )
        now = time.monotonic()
        child.crashes = [moment for moment in child.crashes if now - moment < CALM_SECONDS] + [now]
        if len(child.crashes) > RESTARTS_ALLOWED:
            raise Refused(
                Code.SERVER_PROCESS_GAVE_UP,
                process=child.spec.name,
                restarts=RESTARTS_ALLOWED,
                log=child.log,
                last=child.last_line(),
            )
        child.not_before = now + BACK_OFF_SECONDS[len(child.crashes) - 1]

    def _fail(self, error: Exception) -> None:
        self._failure = error
        self._stop = True
        if self._armed:
            os.kill(os.getpid(), signal.SIGTERM)

    def _describe(self) -> None:
        with suppress(Refused):  # the state file informs; a full disk is no reason to stop, and none not to
            self._lock.describe(child.facts() for child in self._children)

    def _stop_all(self) -> None:
        for child in reversed(self._children):
            child.stop(lambda grace: min(grace, HURRIED_SECONDS) if self._hurry else grace)
            self._describe()
        processes.end_all(lambda: processes.marked(self.mark), grace=min(HURRIED_SECONDS, self._orphan_seconds))


def _status_words(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else str(status)


def _start_warden(mark: str, grace: float) -> subprocess.Popen[bytes]:
    script = Path(__file__).with_name("warden.py")
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(script), mark, str(grace)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def _dismiss_warden(warden: subprocess.Popen[bytes]) -> None:
    """Tell the warden that the stop was orderly, and see it leave."""
    if warden.stdin is not None:
        try:
            warden.stdin.write(b".")
            warden.stdin.close()
        except BrokenPipeError:  # somebody ended the warden: nothing to dismiss
            warden.stdin = None
    warden.wait()
