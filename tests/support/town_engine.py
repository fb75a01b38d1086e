"""What the town's web process lacks: a worker that runs its jobs and the encryption machine that signs."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tests.support.console_world import PATH, SETTINGS, Town

from sheka.equipment.server.node import NodeConfig
from sheka.faces.cli import node_processes


@contextmanager
def engine(town: Town) -> Iterator[NodeConfig]:
    """The node of the town with its first encryption machine and a worker running beside the web process."""
    node = NodeConfig.load(Path(town.log).parent / "node.toml")
    machine, worker = node_processes.encryption_machine(node, node.machines[0].name), node_processes.worker(node)
    running = []
    try:
        for spec in (machine, worker):
            with (node.folder / f"{spec.name}.log").open("wb") as log:
                environment = {**os.environ, **spec.env, "DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONPATH": PATH}
                running.append(subprocess.Popen(spec.argv, env=environment, stdout=log, stderr=log))
        deadline = time.monotonic() + 60
        while not machine.ready():
            assert time.monotonic() < deadline, (node.folder / f"{machine.name}.log").read_text("utf-8")
            time.sleep(0.05)
        while not _worker_beats(node):
            assert time.monotonic() < deadline, (node.folder / f"{worker.name}.log").read_text("utf-8")
            time.sleep(0.1)
        yield node
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=20)


def _worker_beats(node: NodeConfig) -> bool:
    with psycopg.connect(**node.database_parameters("app")) as connection:
        row = connection.execute("SELECT count(*) FROM operations_heartbeat").fetchone()
    return row is not None and row[0] > 0
