"""Start a job in the transaction of the action that asks for it."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.utils import timezone

from sheka.office.audit.trail import record
from sheka.office.jobs.models import JobRun
from sheka.office.jobs.queue import enqueue
from sheka.office.jobs.registry import kind_of
from sheka.office.staff.actors import Actor


def start_job(actor: Actor, name: str, /, **args: Any) -> JobRun:
    """Write the run and its place in the queue; both are there when the transaction commits, or neither.

    `args` are plain JSON and name things by reference, never a person by number. The worker acts as `actor`, with the
    rights that this person then has. Raises Refused: JOB_UNKNOWN, PERMISSION_MISSING.
    """
    kind = kind_of(name)
    actor.require(kind.permission)
    with transaction.atomic():
        run = JobRun.objects.create(
            name=name,
            organisation_id=actor.organisation,
            staff_id=actor.staff_id,
            starter=actor.name,
            args=json.loads(json.dumps(args, ensure_ascii=False, allow_nan=False)),
            bound=kind.attempts,
            asked_at=timezone.now(),
        )
        run.queue_id = enqueue(run.pk)
        run.save(update_fields=["queue_id"])
        record(actor, "job.started", f"job:{run.pk}", job=name, args=run.args)
    return run
