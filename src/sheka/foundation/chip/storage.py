"""Where a virtual chip keeps its state so that a power cut at any moment leaves the old or the new one (card.md §5).

A chip's state is a set of named byte strings. Every APDU's changes are one frame appended to a journal and synced
before the card answers; a frame that was not written whole is cut off when the chip is opened. A journal that grew
long is replaced by a fresh one: written beside it, synced, renamed. The file is the chip: mode 0600, and one user at a
time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from sheka.foundation.refusals import Code, Refused

Changes = Mapping[str, bytes | None]
"""What becomes of named byte strings; None removes one."""

_MAGIC = b"SHC1"
_HEAD = struct.Struct(">4sQI")
_CHECK_BYTES = 16
_REMOVED = 0xFFFFFFFF
_JOURNAL_SLACK = 1 << 16


class Storage(Protocol):
    """The non-volatile memory of one chip."""

    def create(self, content: Mapping[str, bytes]) -> None:
        """Make a new chip's memory. Refused(CHIP_STORAGE_EXISTS) when there is one already."""

    def open(self) -> dict[str, bytes]:
        """Take the chip and give its content.

        Refused: CHIP_STORAGE_ABSENT, CHIP_STORAGE_IN_USE (another holder), CHIP_STORAGE_DAMAGED.
        """

    def commit(self, changes: Changes) -> None:
        """Keep all changes or, with Refused(CHIP_STORAGE_FAILED), none."""

    def scrub(self) -> None:
        """Leave nothing of what was removed or replaced. Refused(CHIP_STORAGE_FAILED): it may still be there."""

    def close(self) -> None:
        """Let go of the chip. A second call changes nothing."""


class MemoryStorage:
    """A chip's memory that lives as long as the object: for tests and trials."""

    def __init__(self) -> None:
        self._content: dict[str, bytes] | None = None
        self._taken = False

    def create(self, content: Mapping[str, bytes]) -> None:
        if self._content is not None:
            raise Refused(Code.CHIP_STORAGE_EXISTS, path="memory")
        self._content = dict(content)

    def open(self) -> dict[str, bytes]:
        if self._content is None:
            raise Refused(Code.CHIP_STORAGE_ABSENT, path="memory")
        if self._taken:
            raise Refused(Code.CHIP_STORAGE_IN_USE, path="memory")
        self._taken = True
        return dict(self._content)

    def commit(self, changes: Changes) -> None:
        if self._content is None or not self._taken:
            raise Refused(Code.CHIP_STORAGE_FAILED, path="memory", reason="not open")
        apply_changes(self._content, changes)

    def scrub(self) -> None:
        """A dictionary keeps nothing that was removed."""

    def close(self) -> None:
        self._taken = False


class CardStorage:
    """A chip's memory in one file.

    Parameters
    ----------
    path : the file; beside it `<name>.new` may appear for a moment.
    sync : wait for the disk at every commit. Without it a crash of the program still loses nothing, a power cut of the
        machine may lose the last commits (never a part of one): for making thousands of demonstration cards.
    """

    def __init__(self, path: Path, *, sync: bool = True) -> None:
        self.path = path
        self._sync = sync
        self._file = -1
        self._content: dict[str, bytes] = {}
        self._sequence = 0
        self._end = 0
        self._limit = 0

    def create(self, content: Mapping[str, bytes]) -> None:
        if self.path.exists():
            raise Refused(Code.CHIP_STORAGE_EXISTS, path=self.path.name)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(self._replace(frame(1, content)))
        except OSError as error:
            raise self._failed(error) from error

    def open(self) -> dict[str, bytes]:
        if self._file >= 0:
            raise Refused(Code.CHIP_STORAGE_IN_USE, path=self.path.name)
        self._file = self._lock()
        try:
            self._beside.unlink(missing_ok=True)
            data = _read_all(self._file)
            self._content, self._sequence, self._end = read_frames(data, self.path.name)
            if self._end < len(data):
                os.ftruncate(self._file, self._end)
                self._flush(self._file)
        except OSError as error:
            self.close()
            raise self._failed(error) from error
        except Refused:
            self.close()
            raise
        self._limit = 4 * len(frame(0, self._content)) + _JOURNAL_SLACK
        return dict(self._content)

    def commit(self, changes: Changes) -> None:
        if self._file < 0:
            raise Refused(Code.CHIP_STORAGE_FAILED, path=self.path.name, reason="not open")
        added = frame(self._sequence + 1, changes)
        try:
            _write_all(self._file, added, self._end)
            self._flush(self._file)
        except OSError as error:
            self._take_back()
            raise self._failed(error) from error
        self._sequence += 1
        self._end += len(added)
        apply_changes(self._content, changes)
        if self._end > self._limit:
            with contextlib.suppress(OSError):
                self._shorten()

    def scrub(self) -> None:
        """Replace the journal by its content and overwrite the old one; flash storage may keep old blocks a while."""
        if self._end == len(frame(self._sequence, self._content)):
            return
        try:
            self._shorten(overwrite=True)
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        """A card object that was dropped while powered lets go of its chip."""
        self.close()

    @property
    def _beside(self) -> Path:
        return self.path.with_name(self.path.name + ".new")

    def _lock(self) -> int:
        """Open the file and take it for this process; try again when it was replaced in between."""
        while True:
            try:
                file = os.open(self.path, os.O_RDWR)
            except FileNotFoundError:
                raise Refused(Code.CHIP_STORAGE_ABSENT, path=self.path.name) from None
            except OSError as error:
                raise self._failed(error) from error
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(file).st_ino == self.path.stat().st_ino:
                    return file
            except BlockingIOError:
                os.close(file)
                raise Refused(Code.CHIP_STORAGE_IN_USE, path=self.path.name) from None
            except FileNotFoundError:
                pass
            os.close(file)

    def _replace(self, content: bytes) -> int:
        """Put a new file, complete and synced, in the place of the old one; its open and locked descriptor."""
        file = os.open(self._beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write_all(file, content, 0)
            self._flush(file)
            self._beside.replace(self.path)
            if self._sync:
                folder = os.open(self.path.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
        except OSError:
            os.close(file)
            raise
        return file

    def _shorten(self, *, overwrite: bool = False) -> None:
        """Replace the journal by one frame. OSError: it cannot be done now; the journal stays good and merely long."""
        whole = frame(self._sequence + 1, self._content)
        try:
            fresh = self._replace(whole)
        except OSError:
            with contextlib.suppress(OSError):
                self._beside.unlink(missing_ok=True)
            raise
        old, length = self._file, self._end
        self._file, self._end = fresh, len(whole)
        self._sequence += 1
        self._limit = 4 * len(whole) + _JOURNAL_SLACK
        try:
            if overwrite:
                _write_all(old, bytes(length), 0)
                self._flush(old)
        finally:
            os.close(old)

    def _take_back(self) -> None:
        """After a failed write: cut off what may have been written; if even that fails, write nothing any more."""
        try:
            os.ftruncate(self._file, self._end)
        except OSError:
            self.close()

    def _flush(self, file: int) -> None:
        if self._sync:
            os.fdatasync(file)

    def _failed(self, error: OSError) -> Refused:
        return Refused(Code.CHIP_STORAGE_FAILED, path=self.path.name, reason=error.strerror or str(error))


def apply_changes(content: dict[str, bytes], changes: Changes) -> None:
    """Changes carried out on a content."""
    for name, value in changes.items():
        if value is None:
            content.pop(name, None)
        else:
            content[name] = value


def frame(sequence: int, changes: Changes) -> bytes:
    """One commit: magic 4 ‖ sequence 8 ‖ length 4 ‖ changes ‖ check 16 (BLAKE2b over all before it)."""
    parts = []
    for name, value in changes.items():
        key = name.encode("ascii")
        length = _REMOVED if value is None else len(value)
        parts.append(struct.pack(">HI", len(key), length) + key + (value or b""))
    payload = b"".join(parts)
    body = _HEAD.pack(_MAGIC, sequence, len(payload)) + payload
    return body + blake2b(body, digest_size=_CHECK_BYTES).digest()


def read_frames(data: bytes, name: str) -> tuple[dict[str, bytes], int, int]:
    """The content after the last whole frame, that frame's sequence, and where it ends.

    What follows it is the rest of an unfinished write, unless a whole later frame stands there: then something in the
    middle was destroyed, and the chip is refused as damaged rather than set back to an older state.
    """
    content: dict[str, bytes] = {}
    sequence = at = 0
    while (found := _whole_frame(data, at)) is not None:
        number, payload, end = found
        if at and number != sequence + 1:
            raise Refused(Code.CHIP_STORAGE_DAMAGED, path=name, reason=f"frame {number} after {sequence}")
        apply_changes(content, _read_changes(payload))
        sequence, at = number, end
    if not at:
        raise Refused(Code.CHIP_STORAGE_DAMAGED, path=name, reason="no whole frame")
    later = data.find(_MAGIC, at + 1)
    while later > 0:
        if _whole_frame(data, later) is not None:
            raise Refused(Code.CHIP_STORAGE_DAMAGED, path=name, reason=f"byte {at}")
        later = data.find(_MAGIC, later + 1)
    return content, sequence, at


def _whole_frame(data: bytes, at: int) -> tuple[int, bytes, int] | None:
    if len(data) < at + _HEAD.size:
        return None
    magic, sequence, length = _HEAD.unpack_from(data, at)
    inside = at + _HEAD.size
    end = inside + length + _CHECK_BYTES
    if magic != _MAGIC or end > len(data):
        return None
    body = data[at : inside + length]
    if blake2b(body, digest_size=_CHECK_BYTES).digest() != data[inside + length : end]:
        return None
    return sequence, data[inside : inside + length], end


def _read_changes(payload: bytes) -> dict[str, bytes | None]:
    changes: dict[str, bytes | None] = {}
    at = 0
    while at < len(payload):
        key_length, length = struct.unpack_from(">HI", payload, at)
        at += 6
        key = payload[at : at + key_length].decode("ascii")
        at += key_length
        if length == _REMOVED:
            changes[key] = None
            continue
        changes[key] = payload[at : at + length]
        at += length
    return changes


def _read_all(file: int) -> bytes:
    parts, at = [], 0
    while part := os.pread(file, 1 << 20, at):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _write_all(file: int, data: bytes, at: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(file, left, at)
        left, at = left[written:], at + written
