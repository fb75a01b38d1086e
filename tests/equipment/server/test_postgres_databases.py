"""Roles and databases (H1): the application changes rows and nothing else, names smuggle no SQL."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from sheka.equipment.server.postgres import PostgresCluster
from sheka.foundation.refusals import Code, Refused

pytestmark = pytest.mark.req("H1")


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresCluster]:
    folder = Path(tempfile.mkdtemp(prefix="sheka-"))
    folder.chmod(0o711)
    made = PostgresCluster(folder / "postgres", settings={"fsync": "off"})
    made.start()
    yield made
    made.stop()
    shutil.rmtree(folder)


def test_the_application_changes_rows_and_nothing_else(cluster: PostgresCluster) -> None:
    cluster.create_database("rights")
    with psycopg.connect(cluster.dsn("rights", "sheka_owner"), autocommit=True) as owner:
        owner.execute("CREATE TABLE account (id int GENERATED ALWAYS AS IDENTITY, fen bigint)")
        owner.execute("CREATE FUNCTION total() RETURNS numeric LANGUAGE sql AS 'SELECT sum(fen) FROM account'")
        owner.execute("CREATE EXTENSION ltree")
    with psycopg.connect(cluster.dsn("rights"), autocommit=True) as app:
        app.execute("INSERT INTO account (fen) VALUES (5), (7)")
        app.execute("UPDATE account SET fen = 6 WHERE fen = 5")
        app.execute("DELETE FROM account WHERE fen = 7")
        assert app.execute("SELECT total()").fetchone() == (6,)
        for forbidden in (
            "DROP TABLE account",
            "TRUNCATE account",
            "ALTER TABLE account ADD COLUMN x int",
            "CREATE TABLE own (x int)",
            "CREATE ROLE friend",
            "CREATE DATABASE other",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(forbidden)


def test_only_our_roles_enter_a_database(cluster: PostgresCluster) -> None:
    cluster.create_database("closed")
    with cluster.administrator() as admin:
        admin.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(**{**cluster.parameters("closed"), "user": "stranger", "password": "x"})  # type: ignore[arg-type]


def test_copies_of_a_frozen_template_carry_rows_and_rights(cluster: PostgresCluster) -> None:
    cluster.create_database("original")
    with psycopg.connect(cluster.dsn("original", "sheka_owner"), autocommit=True) as owner:
        owner.execute("CREATE TABLE city AS SELECT 460100 AS code")
    cluster.freeze_database("original")
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        psycopg.connect(cluster.dsn("original"))
    names = [f"copy_{number}" for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: cluster.create_database(name, template="original"), names))
    for name in names:
        with psycopg.connect(cluster.dsn(name, "sheka_owner"), autocommit=True) as owner:
            owner.execute("CREATE TABLE later (x int)")
        with psycopg.connect(cluster.dsn(name)) as app:
            assert app.execute("SELECT code FROM city").fetchone() == (460100,)
            assert app.execute("SELECT count(*) FROM later").fetchone() == (0,)


def test_a_database_is_dropped_even_with_somebody_in_it(cluster: PostgresCluster) -> None:
    cluster.create_database("busy")
    with psycopg.connect(cluster.dsn("busy")) as connection:
        cluster.drop_database("busy")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert "busy" not in cluster.databases()
    cluster.drop_database("busy")


def test_an_existing_name_is_refused_and_left_alone(cluster: PostgresCluster) -> None:
    cluster.create_database("kept")
    with pytest.raises(Refused) as caught:
        cluster.create_database("kept")
    assert caught.value.code is Code.POSTGRES_DATABASE_EXISTS
    assert cluster.ensure_database("kept") is False


@pytest.mark.parametrize("name", ["", "Sheka", "1st", "a-b", 'x"; DROP DATABASE kept; --', "a" * 64, "社卡"])
def test_a_name_that_is_no_name_is_refused(cluster: PostgresCluster, name: str) -> None:
    with pytest.raises(Refused) as caught:
        cluster.create_database(name)
    assert caught.value.code is Code.POSTGRES_DATABASE_NAME


def test_a_draft_left_by_an_interrupted_making_is_replaced(cluster: PostgresCluster) -> None:
    with cluster.administrator() as admin:
        admin.execute("CREATE DATABASE whole_draft")
    cluster.create_database("whole")
    assert "whole_draft" not in cluster.databases()
    assert "whole" in cluster.databases()
