"""The lock of a node's folder (H1): one supervisor at a time, and a state file that says what it runs.

The lock is flock(2) on `supervisor.lock`: the kernel frees it when its holder dies, so a stale file locks nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from sheka.equipment.server import processes
from sheka.equipment.server.files import make_folder, unwritable, write_whole
from sheka.foundation.refusals import Code, Refused


class NodeLock:
    """Holds `folder` for this process under `mark`, the mark of all its children.

    `orphan_seconds` is the grace for processes that an earlier holder left behind.
    """

    def __init__(self, folder: Path, mark: str, orphan_seconds: float) -> None:
        self.folder = folder
        self._mark = mark
        self._orphan_seconds = orphan_seconds
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the folder, and end what an earlier holder that was killed has left.

        Raises Refused(SERVER_ALREADY_RUNNING) while another supervisor holds it, SERVER_FOLDER_UNWRITABLE.
        """
        make_folder(self.folder)
        try:
            file = (self.folder / "supervisor.lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise unwritable(self.folder, error) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise Refused(Code.SERVER_ALREADY_RUNNING, folder=self.folder, pid=running(self.folder)["pid"]) from None
        earlier = read_state(self.folder).get("mark")
        if isinstance(earlier, str) and earlier:
            processes.end_all(lambda: processes.marked(earlier), grace=self._orphan_seconds)
        self._file = file
        self.describe(())

    def describe(self, facts: Iterable[dict[str, object]]) -> None:
        """Write the state file: who supervises, and each process with its number and state."""
        state = {"pid": os.getpid(), "mark": self._mark, "processes": list(facts)}
        write_whole(self.folder / "supervisor.json", json.dumps(state, indent=1))

    def release(self) -> None:
        """Give the folder back. Calling it twice does no harm."""
        if self._file is not None:
            (self.folder / "supervisor.json").unlink(missing_ok=True)
            self._file.close()
            self._file = None


def read_state(folder: Path) -> dict[str, Any]:
    """What the state file says, empty when there is none."""
    try:
        found = json.loads((folder / "supervisor.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def running(folder: Path) -> dict[str, Any]:
    """The state of the supervisor that holds `folder` now: `pid` and `processes`; `pid` is None when none does."""
    nobody: dict[str, Any] = {"pid": None, "processes": []}
    try:
        with (folder / "supervisor.lock").open("r", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return nobody
    except BlockingIOError:
        return {**nobody, **read_state(folder)}
    except OSError:
        return nobody
