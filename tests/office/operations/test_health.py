"""The health of a node: each part says its state and what to do; one check that breaks hides no other."""

from __future__ import annotations

import logging
import os
import shutil
import socket
from contextlib import closing
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from tests.support.custodians import present, share_out

from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.server.files import make_socket_folder
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.audit.heads import folder_of_heads
from sheka.office.jobs.models import JobRun, PeriodicRun
from sheka.office.messages.models import Inbox
from sheka.office.messages.outbox import send
from sheka.office.operations.health import processes, queues, storage
from sheka.office.operations.health.checks import Check, taken, worst
from sheka.office.operations.health.heart import beat
from sheka.office.operations.health.queries import health_of_node
from sheka.office.operations.models import Heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(appoint):
    return appoint("qin", "460100", "system_administrator")


def state_of(checker):
    (check,) = checker()
    assert check.text.zh
    assert check.text.en
    assert check.state in ("good", "still") or (check.todo.zh and check.todo.en)
    return check.state


def test_every_part_is_told_to_an_administrator_and_to_nobody_else(administrator, appoint):
    told = {check.name for check in health_of_node(administrator)}
    assert {"database", "worker", "switch", "messages", "jobs", "turns", "audit", "disk", "clock", "mode"} <= told
    assert {"machine-ministry", "machine-hainan", "machine-haikou"} <= told
    with pytest.raises(Refused) as refused:
        health_of_node(appoint("wang", "460100-01", "clerk"))
    assert refused.value.code is Code.PERMISSION_MISSING


def test_a_check_that_breaks_is_a_finding_and_hides_no_other(caplog):
    def broken():
        raise ValueError("no such column")

    good = Check("b", Term("乙", "b"), "good", Term("好", "fine"))
    with caplog.at_level(logging.ERROR, logger="sheka.health"):
        found = taken([("a", Term("甲", "a"), broken), ("b", Term("乙", "b"), lambda: [good])])
    assert [(check.name, check.state) for check in found] == [("a", "stop"), ("b", "good")]
    assert worst(found) == "stop"
    assert worst([good]) == "good"


def test_a_worker_is_known_by_its_heart(tree):
    assert state_of(processes.worker) == "stop"
    beat("worker 1", timezone.now())
    beat("worker 1", timezone.now())
    assert state_of(processes.worker) == "good"
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(minutes=1))
    assert state_of(processes.worker) == "stop"
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(days=8))
    beat("worker 2", timezone.now())
    assert Heartbeat.objects.count() == 1


def test_the_switch_is_known_by_its_port():
    assert state_of(processes.switch) == "stop"
    place = settings.NODE.switch
    with closing(socket.create_server((place.host, place.port))):
        assert state_of(processes.switch) == "good"


def test_a_machine_that_does_not_answer_says_so_by_its_refusal():
    assert {check.state for check in processes.machines()} == {"stop"}


def test_a_sealed_machine_says_how_many_of_its_custodians_have_come(tmp_path):
    node = settings.NODE
    name = node.machine("460100").name
    make_socket_folder(node.sockets)
    handle = start_machine(
        tmp_path, callers=node.machine_callers(name), address=node.machine_address(name), custodians=True
    )

    def told() -> tuple[str, str]:
        (found,) = [check for check in processes.machines() if check.name == f"machine-{name}"]
        return found.state, found.text.en

    try:
        with handle.client("systems") as machine:
            assert told() == ("stop", "New: not shared out to custodians yet")
            custodians = share_out(machine, 2, 2)
            assert told()[0] == "good"
            machine.seal()
            present(machine, 2, custodians[1].text)
            assert told() == ("stop", "Sealed: 1 of the 2 custodians needed have come")
    finally:
        handle.stop()


def test_a_machine_without_a_user_of_its_own_says_so(tmp_path):
    node = settings.NODE
    name = node.machine("460100").name
    make_socket_folder(node.sockets)
    handle = start_machine(tmp_path, callers=node.machine_callers(name), address=node.machine_address(name))
    folder = node.machine_folder(name)

    def told() -> bool:
        (found,) = [check for check in processes.machines() if check.name == f"machine-{name}"]
        assert found.state == "good"
        return "runs as the same user as the other processes" in found.text.en

    try:
        assert not told()
        folder.mkdir(parents=True, exist_ok=True)
        assert told()
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
            assert not told()
    finally:
        handle.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_messages_that_were_refused_hold_up_others(tree):
    assert state_of(queues.messages) == "good"
    sent = send("460100", "460000", "test.news", {})
    assert state_of(queues.messages) == "good"
    sent.__class__.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    assert state_of(queues.messages) == "wait"
    Inbox.objects.create(
        source="460100", sequence=1, recipient="460000", kind="test.news", payload={}, digest="0" * 64,
        sent_at=timezone.now(), received_at=timezone.now(), failure="3010 x",
    )  # fmt: skip
    assert state_of(queues.messages) == "stop"


def test_dead_and_waiting_jobs(tree):
    assert state_of(queues.jobs) == "good"
    run = JobRun.objects.create(
        name="x", organisation_id="460100", starter="x", bound=3, asked_at=timezone.now() - timedelta(hours=1)
    )
    assert state_of(queues.jobs) == "wait"
    JobRun.objects.filter(pk=run.pk).update(state="dead", ended_at=timezone.now())
    assert state_of(queues.jobs) == "wait"
    JobRun.objects.filter(pk=run.pk).update(state="done")
    assert state_of(queues.jobs) == "good"


def test_a_turn_that_failed(db):
    assert state_of(queues.clockwork) == "still"
    turn = PeriodicRun.objects.create(name="audit.head", started_at=timezone.now(), ended_at=timezone.now())
    assert state_of(queues.clockwork) == "good"
    PeriodicRun.objects.filter(pk=turn.pk).update(failure="no machine")
    assert state_of(queues.clockwork) == "wait"


def test_audit_rows_that_no_head_covers(tree):
    shutil.rmtree(folder_of_heads(), ignore_errors=True)
    assert state_of(queues.audit) == "wait"
    folder_of_heads().mkdir(parents=True)
    (folder_of_heads() / "heads-2026-01-01.jsonl").write_text("not a head\n")
    try:
        assert state_of(queues.audit) == "stop"
    finally:
        shutil.rmtree(folder_of_heads())


@pytest.mark.parametrize(("free", "state"), [(100, "good"), (3, "wait"), (0, "stop")])
def test_room_on_the_disk(monkeypatch, free, state):
    gib = 2**30
    monkeypatch.setattr(
        storage.shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(200 * gib, 0, free * gib)
    )
    assert state_of(storage.disk) == state


@pytest.mark.parametrize(("apart", "state"), [(0, "good"), (3, "wait"), (60, "stop"), (-60, "stop")])
def test_a_clock_that_goes_wrong(monkeypatch, apart, state):
    real = timezone.now
    monkeypatch.setattr(storage.timezone, "now", lambda: real() + timedelta(seconds=apart))
    assert state_of(storage.clock) == state


def test_the_database_says_its_version_and_connections(db):
    (check,) = storage.database()
    assert check.text.en.startswith("PostgreSQL ")
    assert check.since is not None
