"""What was asked of the worker and what became of it. The queue itself is procrastinate's tables."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sheka.office.jobs.states import ALIVE


class JobRun(models.Model):
    """One run of a job, as its starter and the administrators see it. `args` hold references, never a person number.

    `queue_id` and `attempts` are the fence: a worker that was taken for dead and comes back finds other numbers, and
    what it did is rolled back.
    """

    name = models.CharField(max_length=60)
    organisation_id = models.CharField(max_length=20)
    staff_id = models.BigIntegerField(null=True)
    starter = models.CharField(max_length=80)
    args = models.JSONField(default=dict)
    state = models.CharField(max_length=12, default="queued")
    attempts = models.PositiveSmallIntegerField(default=0)
    bound = models.PositiveSmallIntegerField()
    queue_id = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancel_asked_at = models.DateTimeField(null=True)
    cancel_asked_by = models.CharField(max_length=80, default="")
    done = models.BigIntegerField(null=True)
    total = models.BigIntegerField(null=True)
    note = models.CharField(max_length=200, default="")
    note_en = models.CharField(max_length=200, default="")
    result = models.JSONField(null=True)
    failure = models.JSONField(null=True)

    class Meta:
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("organisation_id", "-id"), name="jobs_run_organisation"),
            models.Index(fields=("staff_id", "-id"), name="jobs_run_starter"),
            models.Index(fields=("id",), condition=Q(state__in=ALIVE), name="jobs_run_alive"),
        )

    @property
    def alive(self) -> bool:
        return self.state in ALIVE

    @property
    def percent(self) -> int | None:
        """How far it is, 0 to 100; None while nobody knows."""
        if self.state == "done":
            return 100
        return min(100, 100 * (self.done or 0) // self.total) if self.total else None


class PeriodicRun(models.Model):
    """The last turn of a periodic job of the node: when it began and ended, and why it failed if it did."""

    name = models.CharField(max_length=60, primary_key=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    failure = models.TextField(default="")
