"""The test machine of a rehearsal: a software machine in a folder of its own, for as long as the rehearsal lives (K6).

It is started by whichever process needs it and ends with that process; the next one that asks starts it again on the
same folder, so a rehearsal goes on where it was. When the rehearsal is over, machine and folder go.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from django.conf import settings

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import MachineHandle, start_machine
from sheka.equipment.server.files import make_folder, write_private
from sheka.foundation.refusals import Code, Refused

CALLER = "rehearsal"
_handles: dict[str, MachineHandle] = {}
_lines: dict[str, EncryptionMachine] = {}
_lock = Lock()


def folder_of(number: str) -> Path:
    """Where the test machine of a rehearsal and its test cards are."""
    return Path(settings.NODE.folder) / "rehearsals" / number


def rehearsal_machine(number: str, *, new: bool = False) -> EncryptionMachine:
    """A line to the rehearsal's machine, started when it does not run; `new` without a seal, for a restore.

    Raises Refused(CEREMONY_TEST_MACHINE).
    """
    with _alone(number) as folder:
        _bury_the_dead()
        line = _lines.get(number)
        if line is None or not _answers(line):
            _hang_up(number)
            line = _lines[number] = _reached(folder) or _started(number, folder, new)
        return line


def end_test_machine(number: str) -> None:
    """Stop it, whichever process started it, and remove what it kept."""
    folder = folder_of(number)
    if not folder.exists():
        return
    with _alone(number):
        _hang_up(number)
        handle = _handles.pop(number, None)
        if handle is not None:
            handle.stop()
        else:
            _stop_stranger(folder)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(number: str) -> Iterator[Path]:
    """One thread of one process at a time looks after the machine."""
    folder = make_folder(folder_of(number), mode=0o700)
    with _lock, (folder.parent / f"{number}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            if not folder.exists():
                Path(lock.name).unlink(missing_ok=True)


def _bury_the_dead() -> None:
    """Machines of ours that another process has ended."""
    for number in [number for number, handle in _handles.items() if not handle.running]:
        _handles.pop(number).stop()


def _answers(line: EncryptionMachine) -> bool:
    try:
        line.describe()
    except Refused:
        return False
    return True


def _hang_up(number: str) -> None:
    line = _lines.pop(number, None)
    if line is not None:
        line.close()


def _reached(folder: Path) -> EncryptionMachine | None:
    """The machine that another process has started."""
    address = folder / "address"
    if not address.exists():
        return None
    line = EncryptionMachine(address.read_text("utf-8"), CALLER, _secret(folder))
    if _answers(line):
        return line
    line.close()
    return None


def _started(number: str, folder: Path, new: bool) -> EncryptionMachine:
    old = _handles.pop(number, None)
    if old is not None:
        old.stop()
    secret = _secret(folder)
    try:
        handle = start_machine(folder / "machine", callers={CALLER: secret}, custodians=new)
    except Refused as refusal:
        raise Refused(Code.CEREMONY_TEST_MACHINE, reason=refusal.number) from refusal
    _handles[number] = handle
    (folder / "address").write_text(handle.address, "utf-8")
    (folder / "pid").write_text(str(handle.process.pid), "utf-8")
    return EncryptionMachine(handle.address, CALLER, secret)


def _secret(folder: Path) -> bytes:
    path = folder / "caller.secret"
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return bytes.fromhex(path.read_text("utf-8"))


def _stop_stranger(folder: Path) -> None:
    """The process that another one started: only when it is still the machine of this folder."""
    with suppress(OSError, ValueError):
        pid = int((folder / "pid").read_text("utf-8"))
        if str(folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGTERM)
