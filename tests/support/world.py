"""The world of a test run: one PostgreSQL cluster for all its processes, a migrated template, a copy for each
process.

The first process that needs the database starts the cluster and builds the template; the others wait at a file lock.
The cluster hangs on the life of the process that was started first (the controller of pytest-xdist), so it ends with
the run, also when that is interrupted or killed, and takes the run's folder with it.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from sheka.equipment.server.node import NodeConfig, node_environment
from sheka.equipment.server.ports import free_port
from sheka.equipment.server.postgres import PostgresCluster
from sheka.equipment.server.postgres_roles import OWNER, enter_database

FOLDER, CONTROLLER = "SHEKA_TEST_RUN", "SHEKA_TEST_CONTROLLER"
TEMPLATE = "template_sheka"
PREFIX = "sheka-tests-"
HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0")
SETTINGS = (*HASTY, "checkpoint_timeout=1h", "max_wal_size=1GB", "max_connections=100")
"""A cluster whose data nobody needs after the run: it is never written to the disk in earnest."""
MEMORY = Path("/dev/shm")
ROOM = 6 << 30
"""Bytes of memory that have to be free for a cluster that lies in memory: it takes up to a third of them."""
SINCE = ((16, "scram_iterations=1"), (18, "io_method=sync"))
"""Settings by the version that has them first: every test process connects anew, and reads what is in memory."""


class World:
    """The folder, the cluster and the databases of this test run, as seen from one of its processes."""

    _numbers = count(1)

    def __init__(self) -> None:
        self.controls = FOLDER not in os.environ
        if self.controls:
            _sweep()
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_place()))
            folder.chmod(0o711)
            (folder / "controller").write_text(str(os.getpid()))
            os.environ[FOLDER], os.environ[CONTROLLER] = str(folder), str(os.getpid())
        self.folder = Path(os.environ[FOLDER])
        self.cluster = PostgresCluster(self.folder / "postgres")

    @cached_property
    def node(self) -> NodeConfig:
        """The node whose settings Django has in this process; its database is made by `django_db_setup`."""
        return self._node(f"test_{os.getpid()}")

    def template(self) -> str:
        """The name of the migrated template, built when this is the first call of the whole run."""
        with self._alone():
            if not (self.folder / "migrated").exists():
                self._start_cluster()
                self._migrate()
                (self.folder / "migrated").touch()
        return TEMPLATE

    def start_cluster(self) -> PostgresCluster:
        """The run's cluster, running."""
        with self._alone():
            self._start_cluster()
        return self.cluster

    def fresh_node(self) -> NodeConfig:
        """A node of its own with its own copy of the template, for tests that start processes on it."""
        template = self.template()
        node = self._node(f"test_{os.getpid()}_{next(self._numbers)}")
        self.copy(node.file.database.name, template)
        return node

    def copy(self, name: str, template: str) -> None:
        """Make the database `name` anew as a copy of a template, whoever is connected to the old one.

        A copy has what the template's maker did inside it; of the cluster's own it gets owner and doors, over one
        connection that is kept: hundreds of tests commit, and each leaves a database to be exchanged. Its 1,400 files
        are copied as files, which in memory takes a twentieth of what a disk takes to make them.
        """
        connection = self._administrator
        database, owner = sql.Identifier(name), sql.Identifier(OWNER)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        make = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY")
        connection.execute(make.format(database, owner, sql.Identifier(template)))
        connection.execute(enter_database(name))

    def end(self) -> None:
        """The run is over. The cluster sees to itself; without one the folder is removed here."""
        if self.controls and not (self.folder / "started").exists():
            shutil.rmtree(self.folder)

    @cached_property
    def _administrator(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(**self.cluster.parameters("postgres", "postgres"), autocommit=True)
        atexit.register(connection.close)
        return connection

    def _node(self, database: str) -> NodeConfig:
        return NodeConfig.create_demo(
            self.folder / database,
            web_port=free_port(),
            switch_port=free_port(),
            database=database,
            postgres=str(self.cluster.folder),
            document_keys="file",  # most tests run no encryption machine
        )

    def _start_cluster(self) -> None:
        if (self.folder / "started").exists():
            return
        attendant = [sys.executable, "-m", "sheka.equipment.server.postgres_attendant", "--background"]
        attendant += ["--folder", str(self.cluster.folder), "--remove", str(self.folder)]
        attendant += ["--while-pid", os.environ[CONTROLLER]]
        major = self.cluster.installation.major
        for setting in (*SETTINGS, *(setting for since, setting in SINCE if major >= since)):
            attendant += ["--setting", setting]
        subprocess.run(attendant, check=True, timeout=120)
        (self.folder / "started").touch()

    def _migrate(self) -> None:
        making = f"{TEMPLATE}_making"
        self.cluster.drop_database(making)
        self.cluster.create_database(making)
        node = self._node(making)
        environment = {**os.environ, **node_environment(node, "owner")}
        command = [sys.executable, "-m", "django", "migrate", "--no-input", "--skip-checks", "--verbosity", "0"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"migrate failed:\n{done.stdout}{done.stderr}")
        self.cluster.create_database(TEMPLATE, template=making)
        self.cluster.freeze_database(TEMPLATE)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _place() -> Path:
    """Where the run's folder is made: in memory where there is room for it, unless TMPDIR says where."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return Path(tempfile.gettempdir())
    told = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    free = min(shutil.disk_usage(MEMORY).free, int(told["MemAvailable"].split()[0]) << 10)
    return MEMORY if free > ROOM else Path(tempfile.gettempdir())


def _sweep() -> None:
    """Remove the folders of earlier runs that were killed before they had a cluster to see to it."""
    for folder in (one for place in (Path(tempfile.gettempdir()), MEMORY) for one in place.glob(f"{PREFIX}*")):
        note = folder / "controller"
        if note.exists() and not (folder / "started").exists() and not Path(f"/proc/{note.read_text()}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def copier(world: World, name: str) -> Callable[..., None]:
    """A function that puts the database `name` back to the state of the template."""

    def copy(*_: object) -> None:
        from django.db import connections

        template = world.template()
        connections.close_all()
        world.copy(name, template)

    return copy
