"""Wipes what waits too long (K6): gathered shares and half-entered keys do not stay in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Alarm:
    """Calls back once, some time after the last `set`; nothing runs while nothing waits."""

    def __init__(self, seconds: float, call: Callable[[], None]) -> None:
        self._seconds, self._call = seconds, call
        self._timer: threading.Timer | None = None

    def set(self, seconds: float | None = None) -> None:
        """Begin the time anew: that of the alarm, or `seconds`."""
        self.clear()
        self._timer = threading.Timer(self._seconds if seconds is None else seconds, self._call)
        self._timer.daemon = True
        self._timer.start()

    def clear(self) -> None:
        """Nothing waits any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
