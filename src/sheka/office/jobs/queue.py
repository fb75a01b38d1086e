"""The queue of procrastinate: a row beside the run, written by the same connection, and the worker's two tasks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import connection
from django.utils import timezone
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job

from sheka.office.jobs import ends
from sheka.office.jobs.interrupts import fresh_connection, interruptible
from sheka.office.jobs.models import JobRun, PeriodicRun
from sheka.office.jobs.progress import Interrupted
from sheka.office.jobs.registry import Periodic, turns
from sheka.office.jobs.runner import PutOff, perform
from sheka.office.scope import whole_node

QUEUE = "sheka"
POOL = 4
HEARTBEAT_SECONDS = 1.0
STALLED_SECONDS = 15.0
log = logging.getLogger("sheka.jobs")


class _AsTold(BaseRetryStrategy):
    """The runner has decided already: it raises PutOff with the time of the next try."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        return RetryDecision(retry_at=exception.until) if isinstance(exception, PutOff) else None


@app.task(name="sheka.run", queue=QUEUE, retry=_AsTold(), pass_context=True)
def run(context: JobContext, run_id: int) -> None:
    """Run what a person or a process asked for."""
    perform(run_id, context.job.id or 0, apart=True)


def worker_app() -> App:
    """The queue as a worker holds it: over connections of its own, which hear of new rows at once."""
    return app.with_connector(PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=POOL))


def enqueue(run_id: int) -> int:
    """Put a run into the queue in the transaction that is open now; the number of its row."""
    return int(run.defer(run_id=run_id))


def take_turn(turn: Periodic, timestamp: int) -> None:
    """Take a turn of the node and note how it went. Raises PutOff when the worker stops before the turn is over."""
    with whole_node(f"a periodic job sees to every organisation of the node: {turn.name}"):
        began = datetime.fromtimestamp(timestamp, UTC)
        PeriodicRun.objects.update_or_create(name=turn.name, defaults={"started_at": began, "ended_at": None})
        failure = ""
        try:
            with interruptible():
                turn.run()
        except Interrupted:
            log.warning("the turn %s was interrupted: the next worker takes it again", turn.name)
            fresh_connection()
            raise PutOff(timezone.now()) from None
        except Exception as error:
            log.exception("the turn %s failed", turn.name)
            failure = str(error)[:400] or type(error).__name__
        PeriodicRun.objects.filter(name=turn.name).update(ended_at=timezone.now(), failure=failure)


def register_turns() -> None:
    """Hand the declared turns to procrastinate: each under a lock of its own name."""
    for turn in turns().values():
        name = f"turn.{turn.name}"
        lock = f"sheka.{name}"
        options = {"name": name, "queue": QUEUE, "lock": lock, "queueing_lock": lock, "retry": _AsTold()}
        task = app.task(_named(partial(take_turn, turn)), **options)
        app.periodic(cron=turn.cron)(task)


def _named(taker: Callable[..., None]) -> Callable[[int], None]:
    def take(timestamp: int) -> None:
        taker(timestamp)

    return take


def rescue() -> int:
    """Find runs whose worker is gone and put them back, or give them up at the bound; the number found.

    A worker is gone when its heart has not beaten for 15 seconds. One that was only slow finds its fence down.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT run.id FROM jobs_jobrun run"
            " LEFT JOIN procrastinate_jobs queued ON queued.id = run.queue_id"
            " LEFT JOIN procrastinate_workers worker ON worker.id = queued.worker_id"
            " WHERE run.state IN ('queued', 'waiting', 'running') AND ("
            "  queued.id IS NULL OR queued.status NOT IN ('todo', 'doing') OR (queued.status = 'doing' AND"
            "  (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %s))))",
            [STALLED_SECONDS],
        )
        stalled = [row[0] for row in cursor.fetchall()]
    for run_id in stalled:
        ends.stalled(run_id, enqueue)
    return len(stalled)


def release_stale_locks() -> None:
    """Turns that died with their worker give their lock back."""
    horizon = timezone.now() - timedelta(seconds=STALLED_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs gone WHERE status = 'doing' AND task_name LIKE 'turn.%%' AND NOT EXISTS"
            " (SELECT FROM procrastinate_workers w WHERE w.id = gone.worker_id AND w.last_heartbeat >= %s)",
            [horizon],
        )


def forget_finished(days: int) -> int:
    """Delete runs that ended more than `days` ago; the number deleted."""
    gone, _ = JobRun.objects.filter(ended_at__lt=timezone.now() - timedelta(days=days)).delete()
    return gone
