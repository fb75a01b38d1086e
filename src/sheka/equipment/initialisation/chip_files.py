"""Files of virtual chips: how a drawer names them, waits for the disk, and destroys them (H3, K5)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sheka.equipment.encryption_machine.files import overwrite, sync_folder
from sheka.foundation.refusals import Code, Refused

SUFFIX = ".chip"


def file_name(serial: str) -> str:
    return serial + SUFFIX


def serials_in(folder: Path, form: re.Pattern[str]) -> list[str]:
    """The serials of the chips in a folder, oldest first; none when there is no folder."""
    if not folder.is_dir():
        return []
    names = (path.name.removesuffix(SUFFIX) for path in folder.iterdir() if path.name.endswith(SUFFIX))
    return sorted(name for name in names if form.fullmatch(name))


def flush(path: Path) -> None:
    """Wait until the disk has a chip's memory and its name."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(path.parent)


def destroy_file(path: Path) -> None:
    """Overwrite a chip's memory, and what a replacement that was cut off may have left beside it, and remove both."""
    for part in (path, path.with_name(path.name + ".new")):
        overwrite(part)
        part.unlink(missing_ok=True)


@contextmanager
def disk() -> Iterator[None]:
    """A failing disk becomes Refused(DRAWER_FAILED)."""
    try:
        yield
    except OSError as error:
        raise Refused(Code.DRAWER_FAILED, reason=error.strerror or type(error).__name__) from error
