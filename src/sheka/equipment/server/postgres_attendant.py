"""Runs a PostgreSQL cluster for as long as another process lives (H1): for a whole test run, for a temporary world.

`python -m sheka.equipment.server.postgres_attendant --folder F --while-pid PID`: prints `ready` when the server
answers, and stops it when PID ends in whatever way or when it is asked to (SIGTERM); by PR_SET_PDEATHSIG the server
also ends when the attendant is killed. With `--background` the command returns as soon as the server answers.
"""

from __future__ import annotations

import argparse
import os
import select
import shutil
import signal
import sys
from pathlib import Path

from sheka.equipment.server.postgres import PostgresCluster
from sheka.foundation.refusals import Refused

READY = b"ready\n"


def main(arguments: list[str] | None = None) -> int:
    """Run until the watched process ends. Status 0, or 1 with the refusal on standard error."""
    given = _parse(arguments)
    if given.background:
        return _in_background(given)
    return _attend(given, sys.stdout.fileno())


def _in_background(given: argparse.Namespace) -> int:
    """Leave the work to a child in its own session; status 0 once it is ready. This process has one thread, so it
    may fork.
    """
    hear, tell = os.pipe()
    if os.fork() == 0:
        os.close(hear)
        os.setsid()
        os._exit(_attend(given, tell))
    os.close(tell)
    with os.fdopen(hear, "rb") as said:
        return 0 if said.readline() == READY else 1


def _attend(given: argparse.Namespace, tell: int) -> int:
    watched = os.pidfd_open(given.while_pid)
    asked, ask = os.pipe()
    os.set_blocking(ask, False)
    signal.set_wakeup_fd(ask)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    cluster = PostgresCluster(given.folder, settings=dict(pair.split("=", 1) for pair in given.setting))
    try:
        cluster.start()
        os.write(tell, READY)
        _leave_standard_streams(given.background)
        select.select([watched, asked], [], [])
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    finally:
        cluster.stop()
        if given.remove is not None:
            shutil.rmtree(given.remove, ignore_errors=True)
    return 0


def _leave_standard_streams(background: bool) -> None:
    """Let go of the starter's output, so that nobody who reads it waits for us."""
    if background:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--while-pid", type=int, required=True)
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--background", action="store_true")
    parser.add_argument("--remove", type=Path, metavar="FOLDER", help="remove this folder in the end")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
