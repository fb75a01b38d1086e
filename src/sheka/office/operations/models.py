"""Holiday notices as they were imported, and the signs of life of the node's processes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class HolidayNotice(models.Model):
    """A year's notice of the State Council, or one that changes it: frozen when proposed, in force when a second person
    has compared it with the document. It is the same for every organisation of the node.
    """

    year = models.PositiveSmallIntegerField()
    amends = models.BooleanField(default=False)
    title = models.CharField(max_length=200)
    document = models.CharField(max_length=100)
    issued = models.DateField()
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=12, default="proposed")
    proposed_by = models.CharField(max_length=80)
    proposed_person = models.CharField(max_length=40)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, default="")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, default="")

    class Meta:
        ordering = ("-year", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("year",), condition=Q(state="in_force", amends=False), name="operations_one_notice_a_year"
            ),
            models.UniqueConstraint(
                fields=("year",), condition=Q(state="proposed"), name="operations_one_proposal_a_year"
            ),
        )

    @property
    def subject(self) -> str:
        return f"calendar:{self.year}"


class Heartbeat(models.Model):
    """The last sign of life of a process of the node."""

    process = models.CharField(max_length=60, primary_key=True)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
