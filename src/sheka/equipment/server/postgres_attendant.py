"""Runs a PostgreSQL cluster for as long as another process lives (H1): for a whole test run, for a temporary world.

`python -m sheka.equipment.server.postgres_attendant --folder F --while-pid PID`: prints `ready` when the server
answers, stops it when PID ends in whatever way, when it is asked to (SIGTERM), and by PR_SET_PDEATHSIG also when it
is itself killed.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
from pathlib import Path

from sheka.equipment.server.postgres import PostgresCluster
from sheka.foundation.refusals import Refused


def main(arguments: list[str] | None = None) -> int:
    """Run until the watched process ends. Status 0, or 1 with the refusal on standard error."""
    given = _parse(arguments)
    watched = os.pidfd_open(given.while_pid)
    asked, ask = os.pipe()
    os.set_blocking(ask, False)
    signal.set_wakeup_fd(ask)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    cluster = PostgresCluster(given.folder, settings=dict(pair.split("=", 1) for pair in given.setting))
    try:
        cluster.start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        select.select([watched, asked], [], [])
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    finally:
        cluster.stop()
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--while-pid", type=int, required=True)
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
