"""The monthly allocation at full size: seconds and memory to check and to book a file of deposits (S6).

python -m bench.deposits --lines 1000000

A process of its own checks and books the file, as `sheka ledger deposit` and the worker do; its peak of memory is told
by the operating system.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bench.ledger_world import LedgerWorld, ledger_world
from bench.switch_world import CITY
from sheka.equipment.server.node import node_environment
from sheka.systems.accounts.deposit_file import Header, render

_CHILD = """
import json, resource, sys, time
import django
django.setup()
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.book_deposit_file import book_deposit_file
from sheka.systems.accounts.actions.receive_deposit_file import (
    check_deposit_file, release_deposit_file, take_deposit_file)
sender, other = Actor.process("bench", "460100"), Actor.process("other", "460100")
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
facts = {"mib_before": peak()}
with open(sys.argv[1], "rb") as source:
    began = time.monotonic()
    row, _ = take_deposit_file(sender, name="bench", source=source)
    row = check_deposit_file(sender, number=row.number, source=source)
    print(f"checked after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    facts |= {"check_s": round(time.monotonic() - began, 1), "state": row.state, "mib_checked": peak()}
release_deposit_file(other, number=row.number, background=False)
began = time.monotonic()
def tell(done, total):
    if done % 100_000 < 2_000:
        print(f"booked {done:,} after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
row = book_deposit_file(sender, row.number, tell)
facts |= {"book_s": round(time.monotonic() - began, 1), "booked": row.booked, "total": row.booked_total, "mib": peak()}
print(json.dumps(facts))
"""


def measure(lines: int) -> dict[str, object]:
    """One file of so many lines, each for another account."""
    with ledger_world(lines, fill=False) as world:
        path = world.folder / "allocation.txt"
        began = time.monotonic()
        _write(world, path)
        facts: dict[str, object] = {"lines": lines, "file_mb": path.stat().st_size // 10**6}
        facts["write_s"] = round(time.monotonic() - began, 1)
        environment = {**os.environ, **node_environment(world.node), "DJANGO_SETTINGS_MODULE": "sheka.config.settings"}
        command = [sys.executable, "-W", "ignore", "-c", _CHILD, str(path)]
        facts["load_before"] = round(os.getloadavg()[0], 1)
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stdout)
        facts |= json.loads(done.stdout) | {"load_after": round(os.getloadavg()[0], 1)}
        facts["sum_of_all_entries"] = world.entries_sum_to()
    return facts


def _write(world: LedgerWorld, path: Path) -> None:
    with world.connect("owner") as owner, path.open("wb") as file:
        rows = owner.execute("SELECT number FROM accounts_account WHERE kind = 'personal' ORDER BY id").fetchall()
        header = Header(CITY, "310", "310", "202611", "BENCH-1")
        for raw in render(header, ((str(number), 35_600, "202611") for (number,) in rows)):
            file.write(raw)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=1_000_000)
    print(json.dumps(measure(parser.parse_args().lines), indent=1))
