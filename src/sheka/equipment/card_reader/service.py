"""A PC/SC service of our own with virtual readers (H4): pcscd in the foreground with a configuration in a folder.

For demonstrations, tests and measurements on a machine without a card reader. vpcd's two slots listen at `port` and
`port + 1` on every address, as in Debian's configuration: the driver knows no other way.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sheka.equipment.card_reader.pcsc import list_readers
from sheka.equipment.card_reader.vpcd import DEFAULT_PORT
from sheka.foundation.refusals import Code, Refused

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
READER_NAME = "Sheka Virtual Reader"
_SOCKET = Path("/run/pcscd/pcscd.comm")
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_TRIES = 100


def free_port_pair() -> int:
    """A port that is free together with the next one: the two slots of the virtual reader."""
    for _ in range(_TRIES):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("", port + 1))
            except (OSError, OverflowError):
                continue
            return port
    raise Refused(Code.READER_SERVICE_FAILED, why="no two free ports beside each other")


class PcscService:
    """pcscd with two virtual readers, at `port` and the next.

    Needs the right to write /run/pcscd: root, or sudo without a question. Only one PC/SC service runs on a machine:
    when one answers already, `start` refuses rather than take its place.
    """

    def __init__(self, folder: Path, port: int = DEFAULT_PORT) -> None:
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of pcscd (or of the sudo before it); None when it does not run."""
        return None if self._process is None else self._process.pid

    def start(self) -> Self:
        """Start pcscd and wait until its readers are listed.

        Raises Refused(READER_SERVICE_FAILED) with the log's last line when it does not come up in 10 s.
        """
        program = shutil.which("pcscd") or shutil.which("pcscd", path="/usr/sbin:/sbin")
        if program is None or not DRIVER.exists():
            raise Refused(Code.READER_SERVICE_FAILED, why="pcscd or the vpcd driver is not installed")
        if self._readers() is not None:
            raise Refused(Code.READER_SERVICE_FAILED, why="another PC/SC service is running on this machine")
        log = self._folder / "pcscd.log"
        prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*prefix, program, "--foreground", "--config", str(self._write_configuration())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if not self._came_up():
            self.stop()
            lines = log.read_text("utf-8", "replace").splitlines()
            raise Refused(Code.READER_SERVICE_FAILED, why=lines[-1] if lines else "no answer")
        return self

    def stop(self) -> None:
        """Stop our pcscd, by its own process id, and wait for its end."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _write_configuration(self) -> Path:
        folder = self._folder / "reader.conf.d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sheka").write_text(
            f'FRIENDLYNAME "{READER_NAME}"\nDEVICENAME /dev/null:{self._port}\nLIBPATH {DRIVER}\nCHANNELID 0\n', "utf-8"
        )
        return folder

    def _came_up(self) -> bool:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self._process is not None and self._process.poll() is None:
            if self._readers():
                return True
            time.sleep(0.02)
        return False

    @staticmethod
    def _readers() -> list[str] | None:
        if not _SOCKET.exists():
            return None
        try:
            return list_readers()
        except Refused:
            return None
