"""Where a cluster lives (H1): a clone in a private home works, and no existing folder is opened wider for it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psycopg
import pytest

from sheka.equipment.server import postgres_place
from sheka.equipment.server.postgres import PostgresCluster
from sheka.equipment.server.postgres_place import (
    Installation,
    find_installation,
    installations,
    reachable_installation,
    unprivileged_user,
)
from sheka.equipment.server.system_users import can_reach
from sheka.foundation.refusals import Code, Refused

pytestmark = pytest.mark.req("H1")


def test_the_wheel_comes_before_debian_and_a_chosen_folder_before_both(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.major for one in installations()][:2] == [18, 15]
    debian = find_installation(15)
    monkeypatch.setenv("POSTGRES_BIN", str(debian.bin))
    assert [one.major for one in installations()] == [15]


def test_a_version_that_is_not_here_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        find_installation(9)
    assert caught.value.code is Code.POSTGRES_VERSION


def test_root_never_runs_the_server_itself() -> None:
    user = unprivileged_user()
    if os.geteuid() == 0:
        assert user is not None and user.uid != 0 and user.name in {"sheka-postgres", "nobody"}
    else:
        assert user is None


def test_a_cluster_in_a_private_folder_works_and_opens_nothing(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a clone below /root: folder and programs are out of the reach of an unprivileged user."""
    monkeypatch.setattr(postgres_place, "STATE_ROOT", open_folder / "state")
    monkeypatch.setattr("sheka.equipment.server.postgres.STATE_ROOT", open_folder / "state")
    private = open_folder / "root"
    private.mkdir(mode=0o700)
    package = find_installation(18).bin.parents[1]
    for part in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.with_name(part), private / part, symlinks=True)
    monkeypatch.setenv("POSTGRES_BIN", str(private / package.name / "pginstall" / "bin"))
    cluster = PostgresCluster(private / "clone" / "var" / "postgres")
    cluster.start()
    try:
        with psycopg.connect(cluster.dsn("postgres", "sheka_app")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        if os.geteuid() == 0:
            assert cluster.place.parent == open_folder / "state"
            assert cluster.installation.bin.is_relative_to(open_folder / "state")
            assert all("/state" in text for text in cluster.notices[0])
        assert private.stat().st_mode & 0o777 == 0o700
    finally:
        cluster.stop()
    again = PostgresCluster(cluster.folder)
    assert again.place == cluster.place, "the data is found again"
    again.remove()
    assert not again.place.exists()


def test_programs_are_copied_once(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_place, "STATE_ROOT", open_folder / "state")
    private = open_folder / "root"
    private.mkdir(mode=0o700)
    hidden = Installation(private / "package" / "pginstall" / "bin", 18)
    hidden.bin.mkdir(parents=True)
    (hidden.bin / "postgres").write_text("#!/bin/sh")
    (hidden.bin / "postgres").chmod(0o700)
    assert reachable_installation(hidden, None) == hidden
    user = unprivileged_user()
    first = reachable_installation(hidden, user)
    stamp = (first.bin / "postgres").stat().st_ino
    second = reachable_installation(hidden, user)
    assert (second.bin / "postgres").stat().st_ino == stamp
    assert can_reach(second.bin / "postgres", user)
    if os.geteuid() == 0:
        assert list((open_folder / "state").glob(".*")) == [], "no half copy is left"
    else:
        assert first == hidden


def test_reach_is_asked_as_the_user(open_folder: Path) -> None:
    secret = open_folder / "secret"
    secret.mkdir(mode=0o700)
    user = unprivileged_user()
    assert can_reach(secret, None)
    assert can_reach(secret, user) is (user is None)
