"""Starts an encryption machine in a process of its own and waits until it answers (H5):
for the supervisor, demos and tests.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sheka.equipment.encryption_machine import configuration
from sheka.equipment.encryption_machine.addresses import MAX_SOCKET_PATH
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.files import own_folder, read_secret, unusable, write_secret
from sheka.equipment.encryption_machine.pkcs11.settings import TokenSettings
from sheka.equipment.encryption_machine.rights import Rights
from sheka.equipment.encryption_machine.sealing import SECRET_BYTES
from sheka.foundation.refusals import Code, Refused

CONFIG_NAME = "machine.toml"
_TEMPORARY = "sheka-machine-"


@dataclass(slots=True)
class MachineHandle:
    """A running machine: `address` is where it answers, `process` its process."""

    address: str
    config: Path
    process: subprocess.Popen[bytes]
    _secrets: Mapping[str, bytes] = field(repr=False)
    _temporary: Path | None = None

    def client(self, caller: str, *, timeout: float = 30.0) -> EncryptionMachine:
        """A blocking client for one of the callers it was started with."""
        return EncryptionMachine(self.address, caller, self._secrets[caller], timeout=timeout)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def stop(self, timeout: float = 10.0) -> int:
        """SIGTERM, then SIGKILL after `timeout` seconds; the exit status."""
        if self.running:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
        return status


def prepare(
    folder: Path,
    *,
    callers: Mapping[str, bytes],
    address: str | None = None,
    rights: Mapping[str, Rights] | None = None,
    sealing_secret: bytes | None = None,
    max_connections: int = 64,
    custodians: bool = False,
    pkcs11: TokenSettings | None = None,
) -> Path:
    """Write the configuration and secret files of a machine under `folder`; the configuration's path.

    `custodians`: no secret anywhere, the machine starts sealed. Else, without `sealing_secret`, one is made on the
    first call and kept in folder/secrets: good for development and tests; in production it does not lie on the disk
    that it protects. Callers without an entry in `rights` may do everything.
    """
    folder = folder.resolve()
    own_folder(folder)
    try:
        own_folder(folder / "secrets")
        in_file = sealing_secret is None and not custodians
        sealing_file = _sealing_file(folder / "secrets") if in_file else None
        written: dict[str, tuple[Path, Rights]] = {}
        for name, secret in callers.items():
            if name in ("", "..") or Path(name).name != name:
                raise Refused(Code.MACHINE_CONFIG_BAD, what=f"caller name {name!r}")
            path = folder / "secrets" / f"{name}.secret"
            write_secret(path, secret)
            written[name] = (path, (rights or {}).get(name, Rights.everything()))
        path = folder / CONFIG_NAME
        configuration.write(
            path,
            folder=folder / "store",
            address=address or _short_address(folder),
            sealing_secret_file=sealing_file,
            callers=written,
            max_connections=max_connections,
            from_stdin=sealing_secret is not None,
            pkcs11=pkcs11 or TokenSettings.beside(folder),
        )
    except OSError as error:
        raise unusable(folder, error) from None
    return path


def start_machine(
    folder: Path,
    *,
    callers: Mapping[str, bytes],
    address: str | None = None,
    rights: Mapping[str, Rights] | None = None,
    sealing_secret: bytes | None = None,
    max_connections: int = 64,
    custodians: bool = False,
    pkcs11: TokenSettings | None = None,
    timeout: float = 20.0,
) -> MachineHandle:
    """Start a machine whose store is folder/store and wait until it answers; it ends when this process does.

    Parameters
    ----------
    callers : name → secret (at least 16 bytes).
    address : `unix:/path` or `tcp:host:port` (port 0: any free one); left out: a socket in `folder`, or, where that
    path would be
        too long, in a new folder of the temporary folder.
    sealing_secret : handed over standard input and never written; left out: see `prepare`.
    custodians : no secret; the machine starts sealed.
    pkcs11 : the token that holds the keys; left out: what folder/pkcs11.toml says, and without it sealed files do.

    Raises
    ------
    Refused : what the machine refused to start with (address taken, folder read-only or in use, wrong sealing secret,
    damaged
        store), or `MACHINE_DID_NOT_START`.
    """
    path = prepare(
        folder,
        callers=callers,
        address=address,
        rights=rights,
        sealing_secret=sealing_secret,
        max_connections=max_connections,
        custodians=custodians,
        pkcs11=pkcs11,
    )
    process, ready = _spawn(path)
    try:
        if sealing_secret is not None:
            _hand_over(process, sealing_secret)
        found = _first_line(ready, process, timeout)
        if "refused" in found:
            process.wait(timeout)
    except BaseException:
        _end(process)
        raise
    finally:
        os.close(ready)
    if "refused" in found:
        _end(process)
        raise Refused(Code(found["refused"]), **found["facts"])
    return MachineHandle(found["address"], path, process, dict(callers), _temporary_folder(found["address"]))


def _spawn(config: Path) -> tuple[subprocess.Popen[bytes], int]:
    ready, theirs = os.pipe()
    command = [sys.executable, "-m", "sheka.equipment.encryption_machine", "--config", str(config)]
    output: IO[bytes] = (config.parent / "process.log").open("ab")
    try:
        process = subprocess.Popen(
            [*command, "--ready-fd", str(theirs), "--until-stdin-ends"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=(theirs,),
            start_new_session=True,
            env=_environment(),
        )
    except BaseException:
        os.close(ready)
        raise
    finally:
        os.close(theirs)
        output.close()
    return process, ready


def _end(process: subprocess.Popen[bytes]) -> None:
    """Make sure that it has gone, and close our end of its standard input."""
    process.kill()
    process.wait()
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def _environment() -> dict[str, str]:
    """Ours, with the package to be found where this process found it."""
    source = str(Path(__file__).resolve().parents[3])
    there = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{there}" if there else source}


def _hand_over(process: subprocess.Popen[bytes], secret: bytes) -> None:
    if process.stdin is None:
        raise Refused(Code.MACHINE_DID_NOT_START, reason="no standard input")
    try:
        process.stdin.write(secret.hex().encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        return  # it refused already; its reason is on the other pipe


def _first_line(ready: int, process: subprocess.Popen[bytes], timeout: float) -> dict[str, Any]:
    until, line = time.monotonic() + timeout, b""
    while not line.endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0 or not select.select([ready], [], [], left)[0]:
            raise Refused(Code.MACHINE_DID_NOT_START, reason=f"no answer in {timeout:g} s")
        piece = os.read(ready, 4096)
        if not piece:
            raise Refused(Code.MACHINE_DID_NOT_START, reason=f"exit status {process.wait(timeout)}")
        line += piece
    found: dict[str, Any] = json.loads(line)
    return found


def _sealing_file(folder: Path) -> Path:
    path = folder / "sealing.secret"
    if path.exists():
        read_secret(path, SECRET_BYTES)
    else:
        write_secret(path, secrets.token_bytes(32))
    return path


def _short_address(folder: Path) -> str:
    path = folder / "machine.sock"
    if len(str(path).encode()) > MAX_SOCKET_PATH:
        path = Path(tempfile.mkdtemp(prefix=_TEMPORARY)) / "machine.sock"
    return f"unix:{path}"


def _temporary_folder(address: str) -> Path | None:
    """The folder that `_short_address` made, to be removed when the machine stops."""
    folder = Path(address.removeprefix("unix:")).parent
    return folder if folder.name.startswith(_TEMPORARY) else None
