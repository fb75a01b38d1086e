"""Ends what a killed supervisor left behind (H1): sleeps on a pipe and acts only when the supervisor died without a
word.

Run as a plain script: `python -I -S warden.py MARK GRACE_SECONDS`. Its standard input is a pipe whose other end only
the supervisor holds; the pipe closes when the supervisor dies, also by SIGKILL. Then everything that carries the mark
is ended.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main() -> None:
    """Wait for the end of the supervisor, then end the processes with its mark. A byte before it: nothing to do."""
    mark, grace = sys.argv[1], float(sys.argv[2])
    if sys.stdin.buffer.read(1):
        return
    sys.path.insert(0, str(Path(__file__).parent))  # isolated mode: our package is not importable here
    known = importlib.import_module("processes")
    known.end_all(lambda: known.marked(mark), grace=grace)


if __name__ == "__main__":
    main()
