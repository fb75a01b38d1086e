"""Worker processes and who uses them (H5): one call at a time to each, begun and logged in when first needed.

A worker that died, hung or lost its token is given up and a new one started: callers see one refusal at most, and none
when the token is back. While a token cannot be had, nobody tries again within a second.
"""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from sheka.equipment.encryption_machine.pkcs11.objects import TokenFacts
from sheka.equipment.encryption_machine.pkcs11.settings import TokenSettings
from sheka.foundation.refusals import Code, Refused

START_SECONDS = 30.0
_STOP_SECONDS = 2.0
_PAUSE_SECONDS = 1.0
_DOUBT_SECONDS = 10.0
"""A session older than this that does not find a key may have lost its token unseen: a new one looks before it is said.
"""


class Access(Protocol):
    """Whose token it is and with which PIN; see `access.TokenAccess`."""

    def pin(self, facts: TokenFacts) -> str: ...
    def refused(self, pin: str) -> None: ...
    def accepted(self, facts: TokenFacts, pin: str) -> None: ...


class Worker:
    """One worker process."""

    def __init__(self, settings: TokenSettings) -> None:
        self._settings, self._begun = settings, time.monotonic()
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sheka.equipment.encryption_machine.pkcs11.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=_environment(settings),
            )
        self._line = Connection(ours.detach())
        with suppress(OSError):  # ended already: the first call says so
            self._line.send(settings)

    def call(self, name: str, *arguments: Any, seconds: float | None = None) -> Any:
        """One call; `MACHINE_TOKEN_LOST` when the process ended or does not answer in time."""
        try:
            self._line.send((name, arguments))
            if not self._line.poll(seconds or self._settings.call_seconds):
                raise Refused(Code.MACHINE_TOKEN_LOST, reason=f"no answer to {name} in time")
            done, found = self._line.recv()
        except (OSError, EOFError):
            raise Refused(Code.MACHINE_TOKEN_LOST, reason="the worker process ended") from None
        if done:
            return found
        number, facts = found
        raise Refused(Code(number), **facts)

    def doubtful(self, refusal: Refused) -> bool:
        """Whether a new worker may know better than this one's refusal."""
        if refusal.code is Code.MACHINE_TOKEN_KEY_MISSING:
            return time.monotonic() > self._begun + _DOUBT_SECONDS
        return refusal.code is Code.MACHINE_TOKEN_LOST

    def close(self) -> None:
        """End the process; its session and log-in end with it."""
        self._line.close()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Pool:
    """`workers` places, each with a worker while the token can be had. Safe for threads."""

    def __init__(self, settings: TokenSettings, access: Access) -> None:
        self._settings, self._access = settings, access
        self._places: queue.LifoQueue[Worker | None] = queue.LifoQueue()
        for _ in range(settings.workers):
            self._places.put(None)
        self._connecting = threading.Lock()
        self._last: tuple[float, Refused] | None = None
        self._closed = False
        self.facts: TokenFacts | None = None
        self.connected: Callable[[], None] = lambda: None
        """Called after the first log-in and after each one that follows a loss, outside all locks."""

    def call(self, name: str, *arguments: Any) -> Any:
        """One call to any free worker; once more with a new worker when the old one or its session was lost."""
        worker = self._places.get()
        fresh = worker is None
        found: Worker | None = worker
        try:
            if found is None:
                found = self._connect()
            try:
                answer = found.call(name, *arguments)
            except Refused as refusal:
                if not found.doubtful(refusal):
                    raise
                self._give_up(found)
                found = None
                if fresh:
                    raise
                fresh, found = True, self._connect()
                answer = found.call(name, *arguments)
        finally:
            self._places.put(found)
        if fresh:
            self.connected()
        return answer

    def close(self) -> None:
        """End all workers, which logs them out. Calls under way are answered first."""
        self._closed = True
        for worker in [self._places.get() for _ in range(self._settings.workers)]:
            if worker is not None:
                worker.close()
            self._places.put(None)

    def _give_up(self, worker: Worker) -> None:
        self.facts = None
        worker.process.kill()
        worker.close()

    def _connect(self) -> Worker:
        if self._closed:
            raise Refused(Code.MACHINE_STOPPING)
        with self._connecting:
            if self._last is not None and time.monotonic() < self._last[0] + _PAUSE_SECONDS:
                raise Refused(self._last[1].code, **self._last[1].facts)
            worker = Worker(self._settings)
            try:
                self._log_in(worker)
            except Refused as refusal:
                self._last = time.monotonic(), refusal
                self._give_up(worker)
                raise
            except BaseException:
                self._give_up(worker)
                raise
            self._last = None
            return worker

    def _log_in(self, worker: Worker) -> None:
        facts: TokenFacts = worker.call("about", seconds=max(START_SECONDS, self._settings.call_seconds))
        pin = self._access.pin(facts)
        try:
            worker.call("log_in", pin)
        except Refused as refusal:
            if refusal.code is Code.MACHINE_TOKEN_PIN_WRONG:
                self._access.refused(pin)
            raise
        self._access.accepted(facts, pin)
        self.facts = facts


def _environment(settings: TokenSettings) -> dict[str, str]:
    """Ours and the module's own, with the package to be found where this process found it."""
    source = str(Path(__file__).resolve().parents[4])
    there = os.environ.get("PYTHONPATH")
    found = {**os.environ, **settings.environment}
    return {**found, "PYTHONPATH": f"{source}{os.pathsep}{there}" if there else source}
