"""The machine's process: `python -m sheka.equipment.encryption_machine --config FILE` (H5).

Runs in the foreground; SIGTERM and SIGINT stop it after the requests under way. Exit status 0 after a stop, 2 with one
sentence on standard error when it cannot start. `--ready-fd N`: one JSON line on that descriptor, {"address"} or
{"refused", "facts"}. `--until-stdin-ends`: also stops when standard input ends, that is when the program that started
it has gone. `--user UID:GID`, for root: gives root up for that user once the programs are loaded, before it opens a
file.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from sheka.equipment.encryption_machine.configuration import Configuration
from sheka.equipment.encryption_machine.hygiene import harden_process
from sheka.equipment.encryption_machine.machine import SoftwareMachine
from sheka.equipment.encryption_machine.privileges import become
from sheka.equipment.encryption_machine.server import Server
from sheka.foundation.refusals import Refused

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_SWITCH_SECONDS = 0.0005
"""How long one connection's Python code may keep the others waiting."""


def main(arguments: list[str] | None = None) -> int:
    """Run the machine; the exit status."""
    parser = argparse.ArgumentParser(prog="sheka.equipment.encryption_machine", description="Encryption machine")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")
    parser.add_argument("--ready-fd", type=int, metavar="N")
    parser.add_argument("--until-stdin-ends", action="store_true")
    parser.add_argument("--user", metavar="UID:GID")
    given = parser.parse_args(arguments)
    if given.user is not None:
        become(given.user)
    harden_process()
    _keep_memory()
    try:
        return _run(Configuration.load(given.config), given.ready_fd, given.until_stdin_ends)
    except Refused as refusal:
        facts = {name: str(value) for name, value in refusal.facts.items()}
        _tell(given.ready_fd, {"refused": refusal.number, "facts": facts})
        print(f"{refusal} {refusal.todo('en')}", file=sys.stderr)  # noqa: T201
        return 2


def _run(configuration: Configuration, ready: int | None, until_stdin_ends: bool) -> int:
    given = sys.stdin.buffer.readline() if configuration.from_stdin else b""
    accounts = configuration.accounts()
    machine = _machine(configuration, configuration.sealing_secret(given))
    try:
        server = Server(machine, configuration.address, accounts, max_connections=configuration.max_connections)

        def stop(number: int, frame: FrameType | None) -> None:
            server.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        sys.setswitchinterval(_SWITCH_SECONDS)
        gc.collect()
        gc.freeze()
        _tell(ready, {"address": str(server.address)})
        server.serve(watched=0 if until_stdin_ends else None)
    finally:
        machine.close()
    return 0


def _machine(configuration: Configuration, secret: bytes | None) -> SoftwareMachine:
    """The driver that the configuration names."""
    if configuration.pkcs11 is None:
        return SoftwareMachine(configuration.folder, secret)
    from sheka.equipment.encryption_machine.pkcs11.machine import TokenMachine

    return TokenMachine(configuration.folder, secret, configuration.pkcs11)


def _keep_memory() -> None:
    """Have glibc keep a few megabytes that large batches use again and again instead of giving them back each time.

    Else every 160 KB answer costs the kernel forty fresh pages, a quarter of the machine's speed. One arena for all
    threads.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((_M_TRIM_THRESHOLD, 8 << 20), (_M_MMAP_THRESHOLD, 4 << 20), (_M_ARENA_MAX, 1)):
            mallopt(parameter, value)


def _tell(ready: int | None, message: dict[str, Any]) -> None:
    if ready is None:
        return
    try:
        with os.fdopen(ready, "w") as pipe:
            pipe.write(json.dumps(message) + "\n")
    except OSError:
        return


if __name__ == "__main__":
    sys.exit(main())
