"""The switch with a clock that jumps: `python -m bench.clocked_switch FILE …` adds the seconds that stand in FILE.

What the switch asks of the wall clock is the local date (requests.py); everything that measures time asks a clock that
does not jump.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from sheka.systems.transactions.switch import requests
from sheka.systems.transactions.switch.__main__ import main

FILE = Path(sys.argv.pop(1))


class Clock(datetime):
    """The wall clock, as far off as the file says."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + timedelta(seconds=float(FILE.read_text() or 0))


requests.datetime = Clock  # type: ignore[misc]
sys.exit(main())
