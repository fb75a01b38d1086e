"""The switch with a look at where its processor time goes: `python -m bench.staged_switch FILE …` (S4).

Every millisecond of processor time the running Python frame is looked at and counted for the stage whose module stands
nearest to it. What C code spends is counted for the Python that called it. At the end FILE holds {stage: samples}.
"""

from __future__ import annotations

import atexit
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from sheka.systems.transactions.switch.__main__ import main

FILE = Path(sys.argv.pop(1))
EVERY = 0.001
STAGES = {
    "socket_and_codec": ("connection.py", "requests.py", "answers.py", "/iso8583/", "network.py", "tls.py"),
    "machine": ("/switch/machine.py", "/encryption_machine/", "/switch/line_keys.py", "/switch/protection.py"),
    "database": ("/switch/lanes.py", "/switch/booking.py", "/asyncpg/", "/sealing.py", "/switch/verbs.py"),
    "journal": ("/switch/journal.py", "/switch/meter.py", "/switch/side_door.py"),
}
seen: Counter[str] = Counter()


def look(_number: int, frame: FrameType | None) -> None:
    """Count one sample."""
    while frame is not None:
        name = frame.f_code.co_filename
        for stage, parts in STAGES.items():
            if any(part in name for part in parts):
                seen[stage] += 1
                return
        frame = frame.f_back
    seen["other"] += 1


atexit.register(lambda: FILE.write_text(json.dumps(seen)))
signal.signal(signal.SIGPROF, look)
signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
sys.exit(main())
