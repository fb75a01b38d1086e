"""How a running job tells how far it is, and hears that it should stop."""

from __future__ import annotations

import time
from threading import Event

from django.db.backends.base.base import BaseDatabaseWrapper

from sheka.office.jobs.models import JobRun

TELL_SECONDS = 0.25
NOTE = 200
stopping = Event()
"""Set when this worker is told to stop: running jobs go back into the queue at their next word."""


class Cancelled(Exception):
    """Somebody asked the job to stop."""


class Interrupted(Exception):
    """The worker stops; the next one runs the job again. A job in steps goes on behind the last that was committed."""


class Superseded(Exception):
    """This run was taken for dead and another worker has it now."""


class Progress:
    """`progress(done, total, note)`; `note` is a text, or a pair of Chinese and English.

    Each call may raise Cancelled, Interrupted or Superseded, which the body lets pass. Words are written four times a
    second at most, over a connection of their own, so that they are seen while the job's transaction is open.
    """

    def __init__(self, run: JobRun, side: BaseDatabaseWrapper) -> None:
        self._fence = [run.pk, run.queue_id, run.attempts]
        self._side = side
        self._told = 0.0

    def __call__(self, done: int, total: int | None = None, note: str | tuple[str, str] = "") -> None:
        if stopping.is_set():
            raise Interrupted
        now = time.monotonic()
        if now - self._told < TELL_SECONDS and done != total:
            return
        self._told = now
        chinese, english = note if isinstance(note, tuple) else (note, note)
        with self._side.cursor() as cursor:
            cursor.execute(
                "UPDATE jobs_jobrun SET done = %s, total = %s, note = %s, note_en = %s"
                " WHERE id = %s AND queue_id = %s AND attempts = %s AND state = 'running' RETURNING cancel_asked_at",
                [done, total, chinese[:NOTE], english[:NOTE], *self._fence],
            )
            row = cursor.fetchone()
        if row is None:
            raise Superseded
        if row[0] is not None:
            raise Cancelled
