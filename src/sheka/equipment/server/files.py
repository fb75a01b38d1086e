"""Folders and files of a node on disk (H1): writable or refused, private where they hold secrets, short where they
hold sockets.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from sheka.foundation.refusals import Code, Refused

LOG_BYTES = 10 * 1024 * 1024
SOCKET_PATH_BYTES = 90


def make_folder(folder: Path, *, mode: int = 0o755) -> Path:
    """Make `folder` and its missing parents, those that we make with `mode` whatever the umask; existing ones keep
    their rights.

    Raises Refused(SERVER_FOLDER_UNWRITABLE) when it cannot be made or written, SERVER_DISK_FULL when there is no
    room.
    """
    missing: list[Path] = []
    step = folder
    try:
        while not step.exists():
            missing.append(step)
            step = step.parent
        for step in reversed(missing):
            step.mkdir(exist_ok=True)
            step.chmod(mode)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
    except OSError as error:
        raise unwritable(folder, error) from None
    return folder


def unwritable(path: Path, error: OSError) -> Refused:
    """The refusal for an OSError met while writing `path`."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Refused(Code.SERVER_DISK_FULL, folder=path, free=0, needed=1)
    return Refused(Code.SERVER_FOLDER_UNWRITABLE, folder=path, reason=error.strerror or str(error))


def require_room(folder: Path, needed_bytes: int) -> None:
    """Raise Refused(SERVER_DISK_FULL) when the disk of `folder` has less than `needed_bytes` left for us."""
    if shutil.disk_usage(folder).free < needed_bytes:
        raise disk_full(folder, needed_bytes)


def disk_full(folder: Path, needed_bytes: int) -> Refused:
    """The refusal for a full disk, with what is left and what is wanted in MiB."""
    mib = 1024 * 1024
    return Refused(
        Code.SERVER_DISK_FULL, folder=folder, free=shutil.disk_usage(folder).free // mib, needed=needed_bytes // mib
    )


def write_private(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a file that only its owner can read (0600), whole or not at all."""
    write_whole(path, text, mode=0o600, replace=replace)


def write_whole(path: Path, text: str, *, mode: int = 0o644, replace: bool = True) -> None:
    """Write a file in one step, so that a reader or a power cut never sees half of it.

    Without `replace` a file that is there already stays: of two writers at the same moment the first one wins.
    """
    try:
        number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fchmod(number, mode)
                os.fsync(number)
            if replace:
                Path(name).replace(path)
            else:
                with suppress(FileExistsError):
                    path.hardlink_to(name)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None


def open_log(path: Path) -> IO[bytes]:
    """Open a log to append; one that has grown past 10 MiB becomes `<name>.1` first. A disk that is full keeps nobody
    from going on in a log that is there: a process that died must come back.
    """
    if not path.parent.is_dir():
        make_folder(path.parent, mode=0o700)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(path.suffix + ".1"))
    try:
        return path.open("ab")
    except OSError as error:
        raise unwritable(path, error) from None


def socket_folder(folder: Path) -> Path:
    """The folder for the Unix sockets of whatever lives in `folder`: inside it when the path is short enough
    (sun_path holds 108 bytes), else a short one.

    Only computes the place, the same at every call; `make_socket_folder` makes it.
    """
    inside = Path(os.path.realpath(folder)) / "run"
    if len(os.fsencode(inside)) <= SOCKET_PATH_BYTES - len("/.s.PGSQL.65535"):
        return inside
    short = hashlib.sha256(os.fsencode(inside)).hexdigest()[:12]
    root = Path("/run/sheka") if os.geteuid() == 0 else Path(tempfile.gettempdir()) / f"sheka-{os.geteuid()}"
    return root / short


def make_socket_folder(folder: Path, *, owner: tuple[int, int] | None = None) -> Path:
    """Make a socket folder that only its owner can enter (0700). `owner` = (uid, gid), given by root for another user.

    Raises Refused(SERVER_SOCKET_FOLDER) when a folder of that name belongs to somebody else or is a link: someone
    could have laid it there to listen in our place.
    """
    uid, gid = owner or (os.geteuid(), os.getegid())
    parent = make_folder(folder.parent)
    if parent.parent.stat().st_mode & stat.S_ISVTX and parent.lstat().st_uid not in {0, os.geteuid()}:
        raise Refused(Code.SERVER_SOCKET_FOLDER, folder=parent)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {uid, os.geteuid()}:
            raise Refused(Code.SERVER_SOCKET_FOLDER, folder=folder)
        if found.st_uid != uid:
            os.chown(folder, uid, gid, follow_symlinks=False)
        folder.chmod(0o700)
    except OSError as error:
        raise unwritable(folder, error) from None
    return folder
