"""The machine's own log: every key-changing verb with its caller, chained by SM3, only ever added to (K6).

One JSON object a line: number, time, caller, verb, what it was done to, the digest of the stored record, facts, the
hash of the entry before, its own SM3 hash, and a tag (HMAC-SM3 under a key of the store) that nobody without the
sealing secret can make. An entry is on the disk before the change takes effect, so a crash leaves either no entry or an
entry from which the store finishes the change. A last line without its end was never acknowledged and is dropped at the
next start.

A log cut at its end together with its records cannot be seen from inside: keep `describe().log_head` outside.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sheka.equipment.encryption_machine.files import sync_folder, unusable, write_all
from sheka.equipment.encryption_machine.model import LogFinding
from sheka.foundation.canonical import canonical
from sheka.foundation.crypto.sm3 import hmac_sm3, sm3
from sheka.foundation.refusals import Code, Refused

_START = "0" * 64
_TORN_LIMIT = 65536


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as far as the store needs it: `target` and `record` say which record file it put in force."""

    number: int
    target: str
    record: str
    hash: str


class Broken(Exception):
    """The chain does not hold: entry number and reason."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(number, reason)
        self.number, self.reason = number, reason


class Journal:
    """The log file: verified from its first entry when it opens, then only added to."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path, self._key = path, key
        self.count, self.head = 0, _START
        self.targets: dict[str, str] = {}
        """The digest of the record in force, by target."""
        self._faulty = False
        try:
            fresh = not path.exists()
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            if fresh:
                sync_folder(path.parent)
            self._drop_torn_end()
        except OSError as error:
            raise unusable(path.parent, error) from None
        try:
            for entry in self._verified():
                self.count, self.head = entry.number, entry.hash
                if entry.target:
                    self.targets[entry.target] = entry.record
        except Broken as broken:
            os.close(self._file)
            raise Refused(Code.MACHINE_LOG_BROKEN, entry=broken.number) from None

    def close(self) -> None:
        os.close(self._file)

    def append(self, caller: str, verb: str, target: str, record: str, facts: dict[str, Any]) -> None:
        """Add an entry and wait until the disk has it. When that fails nothing was added."""
        if self._faulty:
            raise Refused(Code.MACHINE_FOLDER_UNUSABLE, folder=self._path.parent, reason="an earlier write failed")
        body = {
            "n": self.count + 1,
            "at": clock(),
            "caller": caller,
            "verb": verb,
            "target": target,
            "record": record,
            "facts": facts,
            "previous": self.head,
        }
        head = _digest(body)
        line = canonical({**body, "hash": head, "tag": hmac_sm3(self._key, head.encode()).hex()}) + b"\n"
        end = os.fstat(self._file).st_size
        try:
            write_all(self._file, line)
            os.fsync(self._file)
        except OSError as error:
            self._take_back(end)
            raise unusable(self._path.parent, error) from None
        self.count, self.head = self.count + 1, head
        if target:
            self.targets[target] = record

    def verify(self) -> LogFinding:
        """Read the file again and check every entry, and that it ends where this process left it."""
        count, head = 0, _START
        try:
            for entry in self._verified():
                count, head = entry.number, entry.hash
        except Broken as broken:
            return LogFinding(False, self.count, self.head, broken.number, broken.reason)
        if (count, head) != (self.count, self.head):
            return LogFinding(False, self.count, self.head, min(count, self.count) + 1, "the end of the log is missing")
        return LogFinding(True, count, head, 0, "")

    def content(self) -> bytes:
        """The whole file."""
        return self._path.read_bytes()

    def lines(self, first: int, most: int) -> list[str]:
        """Entries as they stand, from number `first`."""
        found: list[str] = []
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number >= first + most:
                    break
                if number >= first:
                    found.append(line.decode("utf-8", "replace").rstrip("\n"))
        return found

    def _verified(self) -> Iterator[Entry]:
        previous = _START
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                entry = self._check(number, line, previous)
                previous = entry.hash
                yield entry

    def _check(self, number: int, line: bytes, previous: str) -> Entry:
        try:
            content = json.loads(line)
            tag, found = bytes.fromhex(content.pop("tag")), str(content.pop("hash"))
            entry = Entry(int(content["n"]), str(content["target"]), str(content["record"]), found)
            before = content["previous"]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Broken(number, "not an entry") from None
        if entry.number != number:
            raise Broken(number, f"entry {entry.number} stands in its place")
        if before != previous:
            raise Broken(number, "does not follow the entry before")
        if _digest(content) != found:
            raise Broken(number, "its content was changed")
        if not hmac.compare_digest(tag, hmac_sm3(self._key, found.encode())):
            raise Broken(number, "its tag is wrong")
        return entry

    def _drop_torn_end(self) -> None:
        end = os.fstat(self._file).st_size
        if not end:
            return
        tail = os.pread(self._file, min(end, _TORN_LIMIT), max(0, end - _TORN_LIMIT))
        whole = tail.rfind(b"\n") + 1
        if whole == len(tail):
            return
        if not whole and end > len(tail):
            raise Refused(Code.MACHINE_LOG_BROKEN, entry="?")
        os.ftruncate(self._file, end - len(tail) + whole)
        os.fsync(self._file)

    def _take_back(self, end: int) -> None:
        try:
            os.ftruncate(self._file, end)
            os.fsync(self._file)
        except OSError:
            self._faulty = True


def clock() -> str:
    """The time of an entry: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _digest(content: dict[str, Any]) -> str:
    return sm3(canonical(content)).hex()
