"""The machine's files: owner-only, written whole or not at all, one machine to a folder (H5, K6)."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

from sheka.foundation.refusals import Code, Refused


def own_folder(folder: Path) -> None:
    """Make the folder if need be (mode 0700) and check that it can be written; `MACHINE_FOLDER_UNUSABLE`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        trial = folder / f".trial-{os.getpid()}"
        trial.touch(mode=0o600)
        trial.unlink()
    except OSError as error:
        raise unusable(folder, error) from None


def unusable(folder: Path, error: OSError) -> Refused:
    """The refusal for a folder or disk that failed."""
    return Refused(Code.MACHINE_FOLDER_UNUSABLE, folder=folder, reason=error.strerror or type(error).__name__)


class FolderLock:
    """Holds a folder for this process as long as it lives; `MACHINE_FOLDER_IN_USE` when another one does."""

    def __init__(self, folder: Path) -> None:
        try:
            self._file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unusable(folder, error) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise Refused(Code.MACHINE_FOLDER_IN_USE, folder=folder) from None

    def release(self) -> None:
        os.close(self._file)


def read_secret(path: Path, least: int) -> bytes:
    """A secret from an owner-only file: hex text, or raw bytes when it is not hex.

    `MACHINE_SECRET_EXPOSED` when group or others may touch the file, `MACHINE_SECRET_MISSING` when it is absent or
    short.
    """
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError:
        raise Refused(Code.MACHINE_SECRET_MISSING, what=path, least=least) from None
    if stat.S_IMODE(mode) & 0o077:
        raise Refused(Code.MACHINE_SECRET_EXPOSED, path=path, mode=f"{stat.S_IMODE(mode):04o}")
    return parse_secret(content, str(path), least)


def parse_secret(content: bytes, what: str, least: int) -> bytes:
    """The secret in a file's or pipe's content."""
    try:
        secret = bytes.fromhex(content.decode("ascii"))
    except (UnicodeDecodeError, ValueError):
        secret = content
    if len(secret) < least:
        raise Refused(Code.MACHINE_SECRET_MISSING, what=what, least=least)
    return secret


def write_secret(path: Path, secret: bytes) -> None:
    """A secret as hex text in an owner-only file, in place of what was there."""
    write_whole(path, secret.hex().encode() + b"\n")


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file at once: a crash leaves the old content or the new, never a part."""
    fresh = path.with_name(path.name + ".new")
    write_durable(fresh, content)
    put_in_place(fresh, path)


def write_durable(path: Path, content: bytes) -> None:
    """Write an owner-only file and wait until the disk has it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        write_all(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)


def write_all(handle: int, content: bytes) -> None:
    """Write every byte (os.write may take fewer)."""
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]


def put_in_place(fresh: Path, path: Path) -> None:
    """Rename over the old file and wait until the folder has it."""
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def overwrite(path: Path) -> None:
    """Zeros over a file's content before it goes; on flash storage old blocks may live on until the drive reuses
    them.
    """
    try:
        length = path.stat().st_size
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        write_all(handle, bytes(length))
        os.fsync(handle)
    finally:
        os.close(handle)
