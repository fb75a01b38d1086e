"""How a run goes from one state to the next: each a short transaction under the lock of its row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.jobs.models import JobRun
from sheka.office.jobs.progress import Superseded
from sheka.office.jobs.states import ALIVE, RUN


def claim(run_id: int, queue_id: int) -> JobRun | None:
    """Begin the run and count the attempt; None when it is over, or waits in another row of the queue by now."""
    with transaction.atomic():
        found = JobRun.objects.select_for_update().filter(pk=run_id, queue_id=queue_id).first()
        if found is None or found.state not in {"queued", "waiting"}:
            return None
        found.state = RUN.after(found.state, "claim")
        found.attempts += 1
        found.started_at = found.started_at or timezone.now()
        found.next_try_at, found.failure = None, None
        found.done, found.total, found.note, found.note_en = None, None, "", ""
        found.save()
        return found


def end(run: JobRun, verb: str, **values: Any) -> None:
    """Leave `running` by `verb`. Raises Superseded when the run is no longer this worker's."""
    with transaction.atomic():
        fence = {"pk": run.pk, "queue_id": run.queue_id, "attempts": run.attempts, "state": "running"}
        found = JobRun.objects.select_for_update().filter(**fence).first()
        if found is None:
            raise Superseded
        found.state = RUN.after(found.state, verb)
        if found.state not in ALIVE:
            found.ended_at = timezone.now()
        for name, value in values.items():
            setattr(found, name, value)
        found.save()


def finish(run: JobRun, result: dict[str, Any] | None) -> None:
    """The run is done. Raises Superseded."""
    end(run, "finish", result=result)


def put_off(run: JobRun, error: Exception, until: datetime) -> None:
    """Try again later."""
    end(run, "put_off", next_try_at=until, failure=told(error))


def put_back(run: JobRun) -> None:
    """The worker stops: the run waits for the next one, and this attempt does not count."""
    end(run, "put_back", attempts=run.attempts - 1)


def stalled(run_id: int, enqueue: Callable[[int], int]) -> None:
    """The worker of a run is gone: put the run into the queue again, or give it up at its bound."""
    with transaction.atomic():
        found = JobRun.objects.select_for_update(skip_locked=True).filter(pk=run_id, state__in=ALIVE).first()
        if found is None:
            return
        if found.state == "running" and found.attempts >= found.bound:
            found.state = RUN.after(found.state, "give_up")
            found.failure = told(Refused(Code.JOB_STALLED, attempts=found.attempts))
            found.ended_at = timezone.now()
        else:
            found.state, found.queue_id = "queued", enqueue(run_id)
        found.save()


def told(error: Exception) -> dict[str, Any]:
    """A failure as it is kept: the number and its sentences. Another error than a refusal keeps no words of its own:
    they could hold personal data; the log has them.
    """
    refusal = error if isinstance(error, Refused) else Refused(Code.JOB_BROKEN, kind=type(error).__name__)
    return {
        "number": refusal.number,
        "zh": refusal.text("zh-Hans"),
        "en": refusal.text("en"),
        "zh_do": refusal.todo("zh-Hans"),
        "en_do": refusal.todo("en"),
    }
