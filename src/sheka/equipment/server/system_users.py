"""The system users under which a node started as root runs what root should not run (H1): found or made, asked what
they can reach, given what is theirs.
"""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sheka.equipment.server.files import unwritable
from sheka.equipment.server.processes import Identity


def system_user(name: str) -> Identity | None:
    """The user of that name, made when it is missing; None where it cannot be made. For root."""
    if (found := existing_user(name)) is not None:
        return found
    if (tool := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")) is not None:
        home = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        argv = [tool, *home, "--shell", "/usr/sbin/nologin", name]
        subprocess.run(argv, capture_output=True, check=False, timeout=60)
    return existing_user(name)


def existing_user(name: str) -> Identity | None:
    """The user of that name with its group, None when the system has none."""
    try:
        row = pwd.getpwnam(name)
        grp.getgrgid(row.pw_gid)
    except KeyError:
        return None
    return Identity(name, row.pw_uid, row.pw_gid)


def identity_of(uid: int, gid: int) -> Identity:
    """The user of that number, by name where the system has one."""
    try:
        return Identity(pwd.getpwuid(uid).pw_name, uid, gid)
    except KeyError:
        return Identity(str(uid), uid, gid)


def can_reach(path: Path, user: Identity | None) -> bool:
    """Whether `user` can enter every folder down to `path` and read or execute it; asked of the kernel as that user."""
    flag = "-x" if path.is_dir() or os.access(path, os.X_OK) else "-r"
    if user is None:
        return os.access(path, os.X_OK if flag == "-x" else os.R_OK)
    return _test(flag, path, user)


def can_write(path: Path, user: Identity) -> bool:
    """Whether `user` can make files in the folder `path`; asked of the kernel as that user."""
    return _test("-w", path, user) and _test("-x", path, user)


def _test(flag: str, path: Path, user: Identity) -> bool:
    asked = subprocess.run(
        ["/usr/bin/test", flag, os.fspath(path)], user=user.uid, group=user.gid, extra_groups=[], cwd="/", check=False
    )
    return asked.returncode == 0


def hand_over(folder: Path, owner: Identity) -> None:
    """Give `folder` and all that is in it to `owner`, unless it is theirs already. For root.

    Links are not followed. The folder itself goes last, so that a hand-over that was interrupted is done again.
    Raises Refused(SERVER_FOLDER_UNWRITABLE).
    """
    try:
        if folder.stat().st_uid == owner.uid:
            return
        for _, folders, files, handle in os.fwalk(folder, topdown=False):
            for name in (*folders, *files):
                os.chown(name, owner.uid, owner.gid, dir_fd=handle, follow_symlinks=False)
        os.chown(folder, owner.uid, owner.gid)
    except OSError as error:
        raise unwritable(folder, error) from None


@contextmanager
def files_as(user: Identity | None) -> Iterator[None]:
    """Within, this thread touches files with the rights of `user` (setfsuid(2)); None: with its own.

    So root follows no link that the user laid in a folder of its own, and what is made there belongs to the user.
    """
    if user is None:
        yield
        return
    libc = ctypes.CDLL(None)
    before = libc.setfsuid(-1), libc.setfsgid(-1)
    libc.setfsgid(user.gid)
    libc.setfsuid(user.uid)
    try:
        if libc.setfsuid(-1) != user.uid:
            raise PermissionError(f"setfsuid {user.name}")
        yield
    finally:
        libc.setfsuid(before[0])
        libc.setfsgid(before[1])
