"""A new database is made in a fifth of the time that Django's own command takes, and is the same (H1)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.support.world import World

from sheka.equipment.server.node import node_environment

PLAIN = """
import django; django.setup()
from django.core.management import call_command
from django.core.management.commands.migrate import Command
call_command(Command(), interactive=False, skip_checks=True, verbosity=0)
"""


@pytest.mark.req("H1")
def test_the_schema_is_that_of_djangos_own_command(test_cluster):
    world = World()
    template = world.template()
    node = world.fresh_node()
    name = node.file.database.name
    test_cluster.drop_database(name)
    test_cluster.create_database(name)
    environment = {**os.environ, **node_environment(node, "owner")}
    done = subprocess.run([sys.executable, "-c", PLAIN], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    copy = f"{name}_light"
    test_cluster.create_database(copy, template=template)  # nobody may connect to the template itself
    try:
        ours, plain = schema(test_cluster, copy), schema(test_cluster, name)
    finally:
        test_cluster.drop_database(copy)
        test_cluster.drop_database(name)
    assert len(ours) > 10_000
    assert ours == plain


def schema(cluster, database):
    """Every statement that makes the database's tables, functions, policies and grants."""
    with cluster.administrator(database) as connection:
        info = connection.info
        command = [cluster.installation.bin / "pg_dump", "-s", "-h", info.host, "-p", str(info.port), "-U", info.user]
        said = subprocess.run(
            [*map(str, command), database],
            env={**os.environ, "PGPASSWORD": info.password},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return [line for line in said.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]
