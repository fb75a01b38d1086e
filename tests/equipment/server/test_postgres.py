"""The cluster's life (H1): made once, safe after a kill, refused in one sentence where it cannot live."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psycopg
import pytest

from sheka.equipment.server.postgres import PostgresCluster
from sheka.equipment.server.processes import memory_bytes
from sheka.equipment.server.supervisor import Supervisor
from sheka.foundation.refusals import Code, Refused

pytestmark = pytest.mark.req("H1")
MAJORS = [18, 15]


@pytest.fixture(scope="module")
def prepared() -> Iterator[Path]:
    """The folder of a cluster that was made and never started: a copy of it saves its test the making."""
    folder = Path(tempfile.mkdtemp(prefix="sheka-"))
    folder.chmod(0o711)
    PostgresCluster(folder / "postgres").prepare()
    yield folder / "postgres"
    shutil.rmtree(folder)


@pytest.fixture
def cluster(open_folder: Path, prepared: Path) -> Iterator[PostgresCluster]:
    subprocess.run(["cp", "-a", prepared, open_folder / "postgres"], check=True)
    made = PostgresCluster(open_folder / "postgres")
    yield made
    made.stop()


@pytest.mark.parametrize("major", MAJORS)
def test_a_cluster_is_made_once_and_keeps_its_data(open_folder: Path, major: int) -> None:
    folder = open_folder / "postgres"
    for start in (1, 2):
        cluster = PostgresCluster(folder, major=major)
        cluster.start()
        try:
            assert cluster.ensure_database("sheka") is (start == 1)
            with psycopg.connect(cluster.dsn("sheka", "sheka_owner")) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS seen (start int)")
                connection.execute("INSERT INTO seen VALUES (%s)", [start])
                assert connection.info.server_version // 10000 == major
            with psycopg.connect(cluster.dsn("sheka")) as connection:
                rows = connection.execute("SELECT start FROM seen ORDER BY 1").fetchall()
                shown = [
                    connection.execute(f"SHOW {name}").fetchone() for name in ("data_checksums", "listen_addresses")
                ]
            assert rows == [(number,) for number in range(1, start + 1)]
            assert shown == [("on",), ("",)]
        finally:
            cluster.stop()
        assert cluster.server_processes() == []


def test_every_way_in_asks_for_the_password(cluster: PostgresCluster) -> None:
    cluster.start()
    rules = (cluster.data / "pg_hba.conf").read_text().splitlines()
    methods = {line.split()[-1] for line in rules if line and not line.startswith("#")}
    assert methods == {"scram-sha-256"}
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**{**cluster.parameters("postgres", "postgres"), "password": "guess"})  # type: ignore[arg-type]
    assert (cluster.folder / "passwords.json").stat().st_mode & 0o077 == 0
    assert cluster.sockets.stat().st_mode & 0o077 == 0
    assert cluster.data.stat().st_mode & 0o077 == 0


async def _through_asyncpg(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        return str(await connection.fetchval("SELECT current_user"))
    finally:
        await connection.close()


def test_the_address_serves_asyncpg_as_well(cluster: PostgresCluster) -> None:
    import asyncio

    cluster.start()
    cluster.create_database("sheka")
    assert asyncio.run(_through_asyncpg(cluster.dsn("sheka"))) == "sheka_app"


def test_a_killed_server_starts_again_with_every_committed_row(cluster: PostgresCluster) -> None:
    cluster.start()
    cluster.create_database("sheka")
    committed = 0
    stop = threading.Event()

    def write() -> None:
        nonlocal committed
        try:
            with psycopg.connect(cluster.dsn("sheka", "sheka_owner"), autocommit=True) as connection:
                connection.execute("CREATE TABLE paid (number int PRIMARY KEY)")
                while not stop.is_set():
                    connection.execute("INSERT INTO paid VALUES (%s)", [committed])
                    committed += 1
        except psycopg.OperationalError:
            stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.5)
    postmaster = int((cluster.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    cluster.start()
    stop.set()
    writer.join()
    with psycopg.connect(cluster.dsn("sheka")) as connection:
        row = connection.execute("SELECT count(*) FROM paid").fetchone()
    assert row is not None and committed > 0 and row[0] in {committed, committed + 1}


def test_old_backends_of_a_killed_server_are_waited_for(cluster: PostgresCluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.dsn("postgres", "postgres"), autocommit=True) as busy:
        backend = busy.info.backend_pid
        os.kill(backend, signal.SIGSTOP)  # a backend that does not notice the death of its server
        os.kill(int((cluster.data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
        threading.Timer(1.0, os.kill, (backend, signal.SIGCONT)).start()
        begun = time.monotonic()
        again = PostgresCluster(cluster.folder)
        cluster._process.wait()  # type: ignore[union-attr]
        again.start()
        assert time.monotonic() - begun > 0.9
        assert backend not in again.server_processes()
        again.stop()


def test_under_a_supervisor_a_killed_server_comes_back(open_folder: Path, eventually: Callable[..., None]) -> None:
    cluster = PostgresCluster(open_folder / "postgres")
    cluster.prepare()
    with Supervisor([cluster.spec()], folder=open_folder) as supervisor:
        supervisor.start()
        cluster.create_roles()
        cluster.create_database("sheka")
        first = int((cluster.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(first, signal.SIGKILL)
        eventually(lambda: first not in cluster.server_processes() and cluster.answers())
        assert cluster.databases() == ["sheka"]
        assert sum(memory_bytes(pid) for pid in cluster.server_processes()) < 200 * 1024 * 1024
    assert cluster.server_processes() == []


def test_a_second_server_on_the_same_data_is_refused(cluster: PostgresCluster) -> None:
    cluster.start()
    with pytest.raises(Refused) as caught:
        PostgresCluster(cluster.folder).start()
    assert caught.value.code is Code.POSTGRES_RUNS_ELSEWHERE
    assert cluster.answers(), "the first goes on"
    with pytest.raises(Refused) as caught:
        PostgresCluster(cluster.folder).remove()
    assert caught.value.code is Code.POSTGRES_RUNS_ELSEWHERE


def test_a_tcp_port_only_when_asked_for(open_folder: Path, free_port: int) -> None:
    cluster = PostgresCluster(open_folder / "postgres", listen_port=free_port)
    cluster.start()
    try:
        address = {**cluster.parameters("postgres", "postgres"), "host": "127.0.0.1"}
        with psycopg.connect(**address) as connection:  # type: ignore[arg-type]
            assert connection.execute("SELECT inet_server_port()").fetchone() == (free_port,)
    finally:
        cluster.stop()


def test_a_cluster_of_another_version_is_refused_and_kept(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = open_folder / "postgres"
    old = PostgresCluster(folder, major=15)
    old.prepare()
    monkeypatch.setenv("POSTGRES_BIN", str(PostgresCluster(open_folder / "other", major=18).installation.bin))
    with pytest.raises(Refused) as caught:
        PostgresCluster(folder).start()
    assert caught.value.code is Code.POSTGRES_VERSION
    assert caught.value.facts == {"cluster": 15, "found": "18"}
    with pytest.raises(Refused) as caught:
        PostgresCluster(folder, major=18).start()
    assert caught.value.code is Code.POSTGRES_VERSION
    assert (old.data / "PG_VERSION").read_text() == "15\n"


def test_without_programs_one_sentence(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_BIN", str(open_folder))
    with pytest.raises(Refused) as caught:
        PostgresCluster(open_folder / "postgres").prepare()
    assert caught.value.code is Code.POSTGRES_BINARIES_MISSING
    assert str(open_folder) in caught.value.text("zh-Hans")


def test_too_little_room_is_refused_before_anything_is_made(open_folder: Path) -> None:
    cluster = PostgresCluster(open_folder / "postgres", needed_bytes=1 << 60)
    with pytest.raises(Refused) as caught:
        cluster.prepare()
    assert caught.value.code is Code.SERVER_DISK_FULL
    assert not cluster.data.exists()


@pytest.mark.parametrize("place", ["file", "kernel"])
def test_a_folder_that_cannot_be_written_is_refused(open_folder: Path, place: str) -> None:
    (open_folder / "file").write_text("not a folder")
    folder = open_folder / "file" / "postgres" if place == "file" else Path("/proc/sys/postgres")
    with pytest.raises(Refused) as caught:
        PostgresCluster(folder).prepare()
    assert caught.value.code is Code.SERVER_FOLDER_UNWRITABLE


def test_an_interrupted_making_leaves_nothing_half_done(open_folder: Path) -> None:
    cluster = PostgresCluster(open_folder / "postgres")
    draft = cluster.folder / "data.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    cluster.prepare()
    assert (cluster.data / "base").is_dir()
    assert not draft.exists()
    assert not (cluster.folder / "pwfile.new").exists()


def test_lost_passwords_are_refused_not_guessed(cluster: PostgresCluster) -> None:
    cluster.start()
    cluster.stop()
    (cluster.folder / "passwords.json").unlink()
    with pytest.raises(Refused) as caught:
        PostgresCluster(cluster.folder).start()
    assert caught.value.code is Code.POSTGRES_PASSWORDS
    assert cluster.server_processes() == []


def test_passwords_that_others_can_read_are_refused(cluster: PostgresCluster) -> None:
    cluster.prepare()
    (cluster.folder / "passwords.json").chmod(0o644)
    with pytest.raises(Refused) as caught:
        PostgresCluster(cluster.folder).dsn("sheka")
    assert caught.value.code is Code.NODE_SECRETS_OPEN


def test_removal_takes_everything(cluster: PostgresCluster) -> None:
    cluster.start()
    cluster.stop()
    cluster.remove()
    assert not cluster.folder.exists()
    assert not cluster.sockets.exists()
