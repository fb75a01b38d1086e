"""A few rounds of every fault under load (`make faults` runs each 20 times): nothing acknowledged is lost, nothing is
booked twice, every unknown is known after the restart, and the ledger holds (S4, S10).
"""

from __future__ import annotations

import os
import subprocess

import pytest
from bench.fault_world import FaultWorld
from bench.faults import FAULTS, SMALL_DISK, one_round, run
from django.conf import settings

from sheka.foundation.refusals import Code, Refused

pytestmark = [pytest.mark.req("S4"), pytest.mark.req("S10")]
ROUNDS = {"clock_jumps": 1, "disk_full": 1}


@pytest.fixture(scope="module")
def dump(django_db_setup, tmp_path_factory):
    """The migrated database of this run as a file: a cluster that may be killed is filled from it."""
    path = tmp_path_factory.mktemp("faults") / "migrated.dump"
    cluster, name = settings.NODE.cluster, settings.NODE.file.database.name
    parameters = cluster.parameters(name, "postgres")
    command = [str(cluster.installation.bin / "pg_dump"), "-Fc", "-h", parameters["host"], "-p", parameters["port"]]
    command += ["-U", "postgres", "-f", str(path), name]
    environment = {"PATH": os.environ["PATH"], "PGPASSWORD": parameters["password"]}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def world(dump):
    with FaultWorld.make(dump=dump) as made:
        yield made


@pytest.mark.parametrize("fault", [one for one in FAULTS if not one.small], ids=lambda one: one.name)
def test_what_breaks_under_load_loses_and_doubles_nothing(world, fault):
    rounds = ROUNDS.get(fault.name, 2)
    for number in range(rounds):
        seen = one_round(world, fault, number, whole=number == rounds - 1)
        assert seen.answers > 100


def test_a_full_disk_is_answered_and_passes(dump):
    try:
        made = FaultWorld.make(dump=dump, small_disk=SMALL_DISK)
    except Refused as refusal:
        assert refusal.code is Code.FAULTS_NO_MOUNT
        pytest.skip(str(refusal))
    with made:
        seen = one_round(made, next(one for one in FAULTS if one.small))
    assert sum(seen.told.values()) >= 10 and seen.answers > 100


def test_without_the_right_to_mount_the_disk_is_refused_in_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused) as refusal:
        FaultWorld.make(small_disk=SMALL_DISK)
    assert refusal.value.code is Code.FAULTS_NO_MOUNT
    figures = run(only="disk_full")
    assert [(figure.name, figure.value) for figure in figures] == [("faults.disk_full", 0)]
    assert "4795" in figures[0].detail
