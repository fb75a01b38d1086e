"""How a worker that was told to stop gets back what its jobs are doing, whatever they are doing (H1).

First it waits: a job that tells its progress leaves at its next word (`progress.stopping`). After PATIENCE no statement
of a job begins any more, and the one that runs is cancelled in the database, again and again; after LAST_PATIENCE its
connection is cut. Either way the transaction that was open is rolled back: what was committed before is the job's
place, and the next worker goes on from there.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from sheka.office.jobs.progress import Interrupted, stopping

PATIENCE = 1.5
LAST_PATIENCE = 4.0
AGAIN = 0.25
CANCEL_SECONDS = 1.0
log = logging.getLogger("sheka.jobs")
hurried = threading.Event()
"""Set when the worker waits no longer: from here on a job ends by Interrupted, whatever error it meets."""
_running: set[BaseDatabaseWrapper] = set()
_lock = threading.Lock()


def leave_if_stopping() -> None:
    """Between two steps of a long turn: raises Interrupted when the worker is to stop."""
    if stopping.is_set():
        raise Interrupted


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, this thread's statements are those of a job: a worker that stops cancels them.

    Raises Interrupted in place of any error that comes after the worker has lost its patience.
    """
    own = connections[DEFAULT_DB_ALIAS]  # of this thread; the proxy `connection` is another thread's in another thread
    with _lock:
        _running.add(own)
    try:
        with own.execute_wrapper(_guard):
            yield
    except Exception:
        if hurried.is_set():
            raise Interrupted from None
        raise
    finally:
        with _lock:
            _running.discard(own)


def fresh_connection() -> None:
    """After an interruption: a cancel may still be on its way to the old connection, and the new one is out of its
    reach.
    """
    connections[DEFAULT_DB_ALIAS].close()


def hurry() -> None:
    """To be run beside the jobs once the worker is told to stop; returns when none of them runs any more."""
    waited = 0.0
    while running():
        if waited >= PATIENCE:
            hurried.set()
            for one in running():
                _stop(one, cut=waited >= LAST_PATIENCE)
        _pause(AGAIN)
        waited += AGAIN


def running() -> list[BaseDatabaseWrapper]:
    """The connections of the jobs that run now."""
    with _lock:
        return list(_running)


def _guard(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    if hurried.is_set():
        raise Interrupted
    return execute(sql, params, many, context)


def _stop(job: BaseDatabaseWrapper, *, cut: bool) -> None:
    """Cancel the statement that runs there; `cut`: end the connection. A job that is gone meanwhile is none."""
    line = job.connection
    if line is None:
        return
    with suppress(Exception):
        if cut:
            log.warning("a job does not leave: its connection is cut")
            end = socket.socket(fileno=os.dup(line.pgconn.socket))
            with end:
                end.shutdown(socket.SHUT_RDWR)
        else:
            line.cancel_safe(timeout=CANCEL_SECONDS)


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
