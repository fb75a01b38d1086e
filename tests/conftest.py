"""What every test stands on: a node of its own for Django's settings, one PostgreSQL for the run, the marks of
requirements.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

import django
import psycopg
import pytest
from tests.support.world import World, copier

from sheka.equipment.server.node import VARIABLE, NodeConfig
from sheka.equipment.server.postgres import PostgresCluster

pytest_plugins = ["tests.support.processes", "tests.support.requirements"]

WORLD = World()
os.environ[VARIABLE] = str(WORLD.node.path)
os.environ["DJANGO_SETTINGS_MODULE"] = "sheka.config.settings"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes start here: one compiles for all
sys.dont_write_bytecode = False
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
atexit.register(WORLD.end)
django.setup()  # before the conftest modules of the folders, which import models


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """The workers inherit this environment; each loads the settings only after it has a node of its own."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a third of a test's time it waits for a process, a browser or a clock."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was collected stays to the end: the collector of garbage need not look at it again and again. And one
    worker begins with the town that many tests need, so that no two of them wait for it."""
    gc.collect()
    gc.freeze()
    wanted = any({"town", "town_here"} & set(getattr(item, "fixturenames", ())) for item in session.items)
    if wanted and os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
        threading.Thread(target=_town, daemon=True).start()


def pytest_sessionfinish() -> None:
    gc.unfreeze()


def _town() -> None:
    from tests.support.console_world import town_template

    with suppress(RuntimeError):  # the test that needs it tries again, and says what is wrong
        town_template(WORLD)


@pytest.fixture(scope="session")
def test_cluster() -> PostgresCluster:
    """The running PostgreSQL cluster of this test run."""
    return WORLD.start_cluster()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None) -> Iterator[None]:
    """Django's database in this process: a copy of the migrated template, entered as `sheka_app` as in a running node.

    A test that commits (`transaction=True`) gets a new copy after it, since the application may not truncate tables.
    """
    from django.db import connections
    from django.test import TransactionTestCase

    copy = copier(WORLD, WORLD.node.file.database.name)
    flush, TransactionTestCase._fixture_teardown = TransactionTestCase._fixture_teardown, copy
    copy()
    yield
    TransactionTestCase._fixture_teardown = flush
    connections.close_all()


@pytest.fixture(autouse=True)
def whole_node_in_scope() -> Iterator[None]:
    """A test acts as a process of the node, which sees every row; a test of the scope itself narrows it. The calendar
    of a node, which a command of the test may have taken, goes with the test.
    """
    from sheka.foundation.calendar import install_calendar
    from sheka.office.scope import whole_node

    with whole_node("a test stands outside of every organisation"):
        yield
    install_calendar()


@pytest.fixture
def fresh_node() -> Iterator[Callable[[], NodeConfig]]:
    """fresh_node() → a node with its own migrated database, for tests that start the processes of a node."""
    made: list[NodeConfig] = []

    def make() -> NodeConfig:
        made.append(WORLD.fresh_node())
        return made[-1]

    yield make
    for node in made:
        WORLD.cluster.drop_database(node.file.database.name)


@pytest.fixture
def superuser(django_db_setup: None) -> Callable[[], AbstractContextManager[psycopg.Connection[Any]]]:
    """superuser() → a connection of the cluster's administrator into Django's database: one who gets past grants and
    triggers.

    It sees only what is committed, and every statement of it is.
    """
    return lambda: WORLD.cluster.administrator(WORLD.node.file.database.name)
