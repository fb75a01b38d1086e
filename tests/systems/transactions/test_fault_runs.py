"""A few rounds of every fault under load (`make faults` runs each 20 times): nothing acknowledged is lost, nothing is
booked twice, every unknown is known after the restart, and the ledger holds (S4, S10).
"""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import replace
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from bench.fault_world import FaultWorld
from bench.faults import FAULTS, SMALL_DISK, files_full, one_round
from bench.verb_mix import SCENES, Ledger, Terminals, scenes
from django.conf import settings

from sheka.foundation.iso8583 import decode
from sheka.foundation.iso8583.dictionary import processing_of
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.switch.verbs import SERVED, Verb

pytestmark = [pytest.mark.req("S4"), pytest.mark.req("S10")]
ROUNDS = {"clock_jumps": 1, "files_full": 1}
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


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


def test_a_full_disk_is_answered_and_passes(dump, world):
    """On a disk that is really full where one can be mounted; else the test above has shown it by a limit of files."""
    fault = next(one for one in FAULTS if one.small)
    try:
        made = FaultWorld.make(dump=dump, small_disk=SMALL_DISK)
    except Refused as refusal:
        assert refusal.code is Code.FAULTS_NO_MOUNT
        seen = one_round(world, replace(fault, strike=files_full), 1)
    else:
        with made:
            seen = one_round(made, fault)
    assert sum(seen.told.values()) >= 10 and seen.answers > 100


def test_without_the_right_to_mount_the_disk_is_full_by_a_limit(monkeypatch, tmp_path, dump):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused) as refusal:
        FaultWorld.make(small_disk=SMALL_DISK)
    assert refusal.value.code is Code.FAULTS_NO_MOUNT


@pytest.mark.parametrize("late", [True, False])
def test_the_mixture_has_every_verb_and_its_messages_are_read_back(late):
    """What the tills send is what the switch serves; a verb that fell out of the mixture would be proved by nobody."""
    signed: list[bytes] = []

    def macs(unsigned):
        signed.extend(unsigned)
        return [bytes(4)] * len(unsigned)

    made = Terminals("460100", "H46010000001", NOW, macs)
    drafts, stan = [], 1
    for steps in islice(scenes(random.Random(5), late_originals=late), 400):
        drafts += made.scene(7, stan, "D2143569X", steps, undo=True)
        stan += len(steps)
    messages = made.signed(drafts)
    seen = set()
    for message in messages:
        kind, fields = decode(message.encoded)
        name = processing_of(fields)
        seen.add(SERVED[kind, name][0])
        assert SERVED[decode(message.repeat)[0], name][0] is SERVED[kind, name][0]
        assert message.undo is None or decode(message.undo.encoded)[1][90] == fields_of_undo(message, kind)
    assert seen == set(Verb) - {Verb.NETWORK, Verb.UPLOAD, Verb.SETTLEMENT}
    assert len(signed) == len(set(signed))


def fields_of_undo(message, kind):
    return f"{kind}{message.stan:06d}1122093000{0:022d}"


@pytest.mark.parametrize(
    ("scene", "moved", "held"),
    [
        ("purchase", -100, 0),
        ("purchase, asked again", -100, 0),
        ("reversal and its repeat", 0, 0),
        ("completion", -200, 0),
        ("completion told afterwards", -300, 0),
        ("completion reversed", 0, 200),
        ("completion voided", 0, 100),
        ("hold voided", 0, 0),
        ("hold reversed", 0, 0),
        ("void", 0, 0),
        ("void reversed", -100, 0),
        ("refund in two parts", 0, 0),
        ("refund reversed", -100, 0),
        ("advice", -100, 0),
        ("advice reversed", 0, 0),
    ],
)
def test_the_judge_of_the_fault_runs_knows_what_each_scene_leaves(scene, moved, held):
    made = Terminals("460100", "H46010000001", NOW, lambda all_: [bytes(4)] * len(all_))
    ledger = Ledger()
    for message in made.signed(made.scene(1, 1, "D2143569X", SCENES[scene][1])):
        ledger.approved(message)
    assert (ledger.moved.get("D2143569X", 0), ledger.held.get("D2143569X", 0)) == (moved, held)
