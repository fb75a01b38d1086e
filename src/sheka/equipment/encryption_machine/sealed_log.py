"""What happens while the machine is sealed (K6): its own log is closed then, so each event waits in a small file.

The file is plain lines of JSON, on the disk before the answer. The next unsealing copies them into the chained log,
each once, and empties it. Who has the disk can take lines out of it before that: the chain begins where the keys are.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from sheka.equipment.encryption_machine.files import unusable, write_all
from sheka.equipment.encryption_machine.journal import Journal, clock
from sheka.foundation.refusals import Code, Refused

MOST_BYTES = 2**20
_LOOK_BACK = 5000


class SealedLog:
    """Events of a sealed machine, oldest first."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, caller: str, verb: str, facts: dict[str, Any]) -> None:
        """Keep one event; `MACHINE_ENTRIES_FULL` when somebody filled the file."""
        event = {"event": secrets.token_hex(8), "at": clock(), "caller": caller, "verb": verb, "facts": facts}
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                if os.fstat(handle).st_size > MOST_BYTES:
                    raise Refused(Code.MACHINE_ENTRIES_FULL, limit=MOST_BYTES)
                write_all(handle, json.dumps(event, ensure_ascii=False).encode() + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise unusable(self._path.parent, error) from None

    def pour_into(self, journal: Journal) -> None:
        """Copy the events into the log, those that a crash cut off before the file was emptied only once."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        known = "\n".join(journal.lines(max(1, journal.count - _LOOK_BACK), _LOOK_BACK + 1))
        for line in lines:
            try:
                event = json.loads(line)
                facts = {**event["facts"], "event": str(event["event"]), "at": str(event["at"])}
                caller, verb = str(event["caller"]), str(event["verb"])
            except (ValueError, KeyError, TypeError):
                facts, caller, verb = (
                    {"event": "", "at": ""},
                    "",
                    "UNREADABLE",
                )  # cut off by a crash, or changed by hand
            if not facts["event"] or facts["event"] not in known:
                journal.append(caller, verb, "", "", facts)
        try:
            self._path.unlink()
        except OSError as error:
            raise unusable(self._path.parent, error) from None
