"""Looking for keys in the memory of processes: as they run, and as a core dump leaves it (K6, H5)."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path


def needles(key: bytes) -> list[bytes]:
    """How a key could stand in a memory: both halves, hex, base64."""
    return [key[:8], key[8:], key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key)[:20]]


def memory(pid: int) -> Iterator[bytes]:
    """What a process has written into its memory, mapping by mapping."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as file:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            first, last, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()  # type: ignore[union-attr]
            if rights.startswith("rw"):
                file.seek(int(first, 16))
                try:
                    yield file.read(int(last, 16) - int(first, 16))
                except OSError:
                    continue  # a mapping of a device


def found_in(chunks: Iterable[bytes], values: list[bytes]) -> set[bytes]:
    """Which of the values stand there."""
    found: set[bytes] = set()
    for chunk in chunks:
        found |= {value for value in values if value in chunk}
    return found


def family(pid: int) -> list[int]:
    """A process and everything that it started, such as the workers of a web server."""
    children = [
        int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in (task / "children").read_text().split()
    ]
    return [pid, *(each for child in children for each in family(child))]


def dump(pid: int, folder: Path) -> list[bytes]:
    """The core dump of a process that goes on; none where the debugger that makes one is not installed."""
    if shutil.which("gcore") is None:
        return []
    environment = {**os.environ, "DEBUGINFOD_URLS": ""}
    command = ["gcore", "-o", str(folder / "core"), str(pid)]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
    made = folder / f"core.{pid}"
    content = made.read_bytes()
    made.unlink()
    return [content]
