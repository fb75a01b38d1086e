"""Jobs: started with the action that asks for them, run as their starter, ended in a state that says how."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.audit.trail import record
from sheka.office.jobs import registry
from sheka.office.jobs.actions.cancel_job import cancel_job
from sheka.office.jobs.actions.run_job_again import run_job_again
from sheka.office.jobs.actions.start_job import start_job
from sheka.office.jobs.jobs import forget
from sheka.office.jobs.models import JobRun, PeriodicRun
from sheka.office.jobs.progress import stopping
from sheka.office.jobs.queries import run_of, runs_of
from sheka.office.jobs.queue import release_stale_locks, rescue, take_turn
from sheka.office.jobs.registry import Periodic, job
from sheka.office.jobs.runner import PutOff, perform
from sheka.office.scope import acting_in
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission

pytestmark = pytest.mark.django_db


@pytest.fixture
def declare(monkeypatch):
    """declare(body, **settings): a job `test.job` that only this test knows."""
    monkeypatch.setattr(registry, "_jobs", {})

    def make(body, **settings):
        job("test.job", title_zh="测试", title_en="Test", permission=Permission.AUDIT_READ, **settings)(body)

    return make


@pytest.fixture
def auditor(appoint):
    return appoint("shen", "460100", "auditor")


@pytest.fixture
def administrator(appoint):
    return appoint("guan", "460100", "system_administrator")


def ran(run):
    """The run after the worker had it once."""
    perform(run.pk, JobRun.objects.get(pk=run.pk).queue_id)
    run.refresh_from_db()
    return run


def queued():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'sheka.run'")
        return cursor.fetchone()[0]


def test_a_job_acts_as_its_starter_and_leaves_its_result(declare, auditor):
    seen = {}

    def body(actor, progress, *, day):
        seen.update(actor=actor, day=day)
        progress(1, 4, ("一", "one"))
        return {"rows": 4}

    declare(body)
    run = ran(start_job(auditor, "test.job", day="2026-11-22"))
    assert (seen["actor"].staff_id, seen["actor"].organisation, seen["day"]) == (
        auditor.staff_id,
        "460100",
        "2026-11-22",
    )
    assert (run.state, run.result, run.attempts, run.note, run.note_en) == ("done", {"rows": 4}, 1, "一", "one")
    assert run.percent == 100
    event = Event.objects.get(event="job.started")
    assert (event.subject, event.staff_id) == (f"job:{run.pk}", auditor.staff_id)


def test_a_rolled_back_action_starts_nothing(declare, auditor):
    declare(lambda actor, progress: None)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        start_job(auditor, "test.job")
        raise ZeroDivisionError
    assert (JobRun.objects.count(), queued()) == (0, 0)
    start_job(auditor, "test.job")
    assert (JobRun.objects.count(), queued()) == (1, 1)


def test_it_needs_the_permission_when_started_and_when_run(declare, auditor, administrator):
    declare(lambda actor, progress: pytest.fail("it ran without the right"))
    with pytest.raises(Refused) as refused:
        start_job(administrator, "test.job")
    assert refused.value.code is Code.PERMISSION_MISSING
    run = start_job(auditor, "test.job")
    StaffMember.objects.get(pk=auditor.staff_id).grants.update(valid_to="2020-02-01")
    assert (ran(run).state, run.failure["number"]) == ("refused", Code.PERMISSION_MISSING.value)


def test_who_has_left_starts_nothing_any_more(declare, auditor):
    declare(lambda actor, progress: pytest.fail("it ran for somebody who left"))
    run = start_job(auditor, "test.job")
    StaffMember.objects.filter(pk=auditor.staff_id).update(is_active=False)
    assert (ran(run).state, run.failure["number"]) == ("refused", Code.STAFF_INACTIVE.value)


def test_who_has_moved_does_not_act_for_the_old_organisation(declare, auditor):
    declare(lambda actor, progress: pytest.fail("it ran for somebody who moved"))
    run = start_job(auditor, "test.job")
    StaffMember.objects.filter(pk=auditor.staff_id).update(organisation="460200")
    assert (ran(run).state, run.failure["number"]) == ("refused", Code.JOB_STARTER_MOVED.value)


def test_a_refusal_ends_it_with_its_number_and_undoes_what_it_did(declare, auditor):
    def body(actor, progress):
        record(actor, "test.event", "thing:1")
        raise Refused(Code.STAFF_UNKNOWN, name="甲")

    declare(body)
    run = ran(start_job(auditor, "test.job"))
    assert (run.state, run.failure["number"], run.ended_at is not None) == ("refused", 3010, True)
    assert "甲" in run.failure["zh"]
    assert run.failure["en_do"]
    assert not Event.objects.filter(event="test.event").exists()


def test_a_fault_in_the_program_kills_it_at_once_and_keeps_its_words_out_of_the_table(declare, auditor):
    def body(actor, progress):
        raise ValueError("460100199001011234")

    declare(body)
    run = ran(start_job(auditor, "test.job"))
    assert (run.state, run.attempts, run.failure["number"]) == ("dead", 1, Code.JOB_BROKEN.value)
    assert "4601001990" not in str(run.failure)


def test_a_passing_error_is_tried_again_later_and_later_up_to_the_bound(declare, auditor):
    def body(actor, progress):
        raise Refused(Code.STAFF_UNKNOWN, name="x")

    declare(body, transient=(Code.STAFF_UNKNOWN,), attempts=3, back_off=10)
    run, pauses = start_job(auditor, "test.job"), []
    for _ in range(2):
        with pytest.raises(PutOff) as put_off:
            ran(run)
        run.refresh_from_db()
        assert (run.state, run.next_try_at) == ("waiting", put_off.value.until)
        pauses.append(round((put_off.value.until - timezone.now()).total_seconds()))
    assert pauses == [10, 40]
    assert (ran(run).state, run.attempts, run.failure["number"]) == ("dead", 3, 3010)


def test_a_lost_connection_always_passes(declare, auditor):
    def body(actor, progress):
        raise OperationalError("gone")

    declare(body)
    run = start_job(auditor, "test.job")
    with pytest.raises(PutOff):
        ran(run)
    run.refresh_from_db()
    assert run.state == "waiting"


def test_cancel_before_it_runs(declare, auditor):
    declare(lambda actor, progress: pytest.fail("it ran after it was cancelled"))
    run = start_job(auditor, "test.job")
    cancel_job(auditor, run_id=run.pk)
    assert ran(run).state == "cancelled"
    with pytest.raises(Refused) as refused:
        cancel_job(auditor, run_id=run.pk)
    assert refused.value.code is Code.STATE_FORBIDS


def test_cancel_while_it_runs_stops_it_at_its_next_word_and_undoes_it(declare, auditor):
    def body(actor, progress):
        progress(0, 2)
        record(actor, "test.event", "thing:1")
        JobRun.objects.update(cancel_asked_at=timezone.now())
        progress(2, 2)
        pytest.fail("it went on")

    declare(body)
    run = ran(start_job(auditor, "test.job"))
    assert (run.state, run.failure) == ("cancelled", None)
    assert not Event.objects.filter(event="test.event").exists()


def test_a_worker_that_stops_gives_the_job_back_and_the_attempt_does_not_count(declare, auditor, monkeypatch):
    declare(lambda actor, progress: progress(0, 1))
    run = start_job(auditor, "test.job")
    stopping.set()
    try:
        with pytest.raises(PutOff):
            ran(run)
    finally:
        stopping.clear()
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("queued", 0)
    assert ran(run).state == "done"


def test_a_run_whose_worker_vanished_is_run_again_and_at_the_bound_it_is_dead(declare, auditor):
    declare(lambda actor, progress: None, attempts=2)
    run = start_job(auditor, "test.job")
    assert rescue() == 0
    first = run.queue_id
    for attempts, state in ((1, "queued"), (2, "dead")):
        JobRun.objects.update(state="running", attempts=attempts)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
        assert rescue() == 1
        run.refresh_from_db()
        assert run.state == state
    assert run.failure["number"] == Code.JOB_STALLED.value
    assert run.queue_id != first


def test_a_worker_that_was_only_slow_cannot_finish_what_another_has_taken_over(declare, auditor):
    def body(actor, progress):
        record(actor, "test.event", "thing:1")
        JobRun.objects.update(queue_id=None, state="queued")

    declare(body)
    run = ran(start_job(auditor, "test.job"))
    assert run.state == "running", "what the body did to the row is rolled back with the rest"
    assert not Event.objects.filter(event="test.event").exists()


def test_a_row_of_the_queue_that_is_not_the_runs_starts_nothing(declare, auditor):
    declare(lambda actor, progress: pytest.fail("it ran twice"))
    run = start_job(auditor, "test.job")
    perform(run.pk, run.queue_id + 1)
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("queued", 0)


def test_run_again_is_audited_and_acts_as_the_first_starter(declare, auditor, administrator):
    went = []

    def body(actor, progress):
        went.append(actor.staff_id)
        if len(went) == 1:
            raise ValueError

    declare(body)
    run = ran(start_job(auditor, "test.job"))
    run_job_again(administrator, run_id=run.pk)
    assert (ran(run).state, run.attempts) == ("done", 1)
    assert went == [auditor.staff_id, auditor.staff_id]
    assert Event.objects.get(event="job.run_again").staff_id == administrator.staff_id
    with pytest.raises(Refused) as refused:
        run_job_again(administrator, run_id=run.pk)
    assert refused.value.code is Code.STATE_FORBIDS


def test_everybody_sees_their_own_and_an_administrator_those_of_the_scope(declare, auditor, administrator, appoint):
    declare(lambda actor, progress: None)
    run = start_job(auditor, "test.job")
    colleague = appoint("er", "460100", "auditor")
    elsewhere = appoint("san", "460200", "system_administrator")
    assert list(runs_of(auditor)) == list(runs_of(administrator)) == [run]
    assert not runs_of(colleague).exists()
    with pytest.raises(Refused) as refused:
        run_of(colleague, run.pk)
    assert refused.value.code is Code.JOB_RUN_UNKNOWN
    with acting_in(elsewhere.scope), pytest.raises(Refused) as refused:
        cancel_job(elsewhere, run_id=run.pk)
    assert refused.value.code is Code.JOB_RUN_UNKNOWN


def test_a_job_of_another_version_is_refused_not_lost(declare, auditor):
    declare(lambda actor, progress: None)
    run = start_job(auditor, "test.job")
    registry._jobs.clear()
    assert (ran(run).state, run.failure["number"]) == ("refused", Code.JOB_UNKNOWN.value)


def test_a_turn_of_the_node_notes_how_it_went(db):
    take_turn(Periodic("test.turn", "* * * * *", lambda: None), 1_790_000_000)
    assert PeriodicRun.objects.get().failure == ""

    def broken():
        raise ValueError("no room")

    take_turn(Periodic("test.turn", "* * * * *", broken), 1_790_000_060)
    turn = PeriodicRun.objects.get()
    assert (turn.failure, turn.ended_at is not None) == ("no room", True)


def test_old_runs_are_forgotten_when_they_are_over(declare, auditor):
    declare(lambda actor, progress: None)
    old, fresh = ran(start_job(auditor, "test.job")), start_job(auditor, "test.job")
    JobRun.objects.update(asked_at="2020-01-01T00:00:00Z")
    JobRun.objects.filter(pk=old.pk).update(ended_at="2020-01-01T00:00:00Z")
    forget()
    assert list(JobRun.objects.all()) == [fresh]


def test_a_turn_that_died_with_its_worker_gives_its_lock_back(db):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()) RETURNING id")
        alive = cursor.fetchone()[0]
        for name, worker in (("turn.a", None), ("turn.b", alive), ("sheka.run", None)):
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id)"
                " VALUES ('x', %s, 'doing', %s)",
                [name, worker],
            )
        release_stale_locks()
        cursor.execute("SELECT task_name FROM procrastinate_jobs ORDER BY task_name")
        assert [row[0] for row in cursor.fetchall()] == ["sheka.run", "turn.b"]
