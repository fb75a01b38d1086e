"""The worker as a process: jobs are picked up at once, survive kill -9, stop on request, and go back on SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support import job_worker

from sheka.office.jobs import registry
from sheka.office.jobs.actions.cancel_job import cancel_job
from sheka.office.jobs.actions.start_job import start_job
from sheka.office.jobs.models import JobRun, PeriodicRun

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def auditor(appoint, monkeypatch):
    monkeypatch.setattr(registry, "_jobs", {})
    job_worker.declare()
    return appoint("shen", "460100", "auditor")


@pytest.fixture
def worker(auditor, tmp_path):
    """worker() → a running worker of this test's node."""
    started = []

    def start():
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            command = [sys.executable, "-m", "tests.support.job_worker"]
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def until(run, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run.refresh_from_db()
        if condition(run):
            return
        time.sleep(0.05)
    raise AssertionError(f"{run.state} {run.done}/{run.total} {run.failure}")


def test_a_killed_workers_job_is_run_again_by_the_next_one_and_nothing_is_done_twice(auditor, worker, superuser):
    run = start_job(auditor, "test.slow", steps=600)
    first = worker()
    until(run, lambda run: run.state == "running" and (run.done or 0) > 2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    run.refresh_from_db()
    assert run.state == "running"
    JobRun.objects.update(args={"steps": 3})
    with superuser() as outside:  # its heart stopped a minute ago
        outside.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
    worker()
    until(run, lambda run: run.state == "done")
    assert (run.attempts, run.result) == (2, {"steps": 3})
    assert PeriodicRun.objects.filter(name__startswith="slow").count() == 1


def test_progress_is_seen_while_it_runs_and_cancel_stops_it_clean(auditor, worker):
    worker()
    run = start_job(auditor, "test.slow", steps=2000)
    until(run, lambda run: (run.done or 0) > 2)
    assert (run.total, run.note, run.note_en, run.state) == (2000, "第几步", "a step", "running")
    cancel_job(auditor, run_id=run.pk)
    until(run, lambda run: run.state == "cancelled")
    assert not PeriodicRun.objects.filter(name__startswith="slow").exists()


def test_a_worker_told_to_stop_gives_its_job_back_and_leaves(auditor, worker):
    first = worker()
    run = start_job(auditor, "test.slow", steps=2000)
    until(run, lambda run: (run.done or 0) > 2)
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=10) == 0
    until(run, lambda run: (run.state, run.attempts) == ("queued", 0))
    JobRun.objects.update(args={"steps": 3})
    worker()
    until(run, lambda run: run.state == "done")


def test_a_passing_error_is_tried_again_by_the_worker(auditor, worker):
    worker()
    run = start_job(auditor, "test.flaky")
    until(run, lambda run: run.state == "done")
    assert (run.attempts, run.result) == (3, {"lines": 1})
