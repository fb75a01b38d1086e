"""Exception cases (S10): an abnormal item with what both sides say about it."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation


class Reason(models.TextChoices):
    """Why a case was opened."""

    ONLY_OURS = "only_ours"
    ONLY_THEIRS = "only_theirs"
    AMOUNT = "amount"
    DUPLICATE = "duplicate"


class ExceptionCase(models.Model):
    """One abnormal item. `subject` is its business key: institution, terminal, business date, STAN and kind."""

    number = models.CharField(max_length=30, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    subject = models.CharField(max_length=80, db_index=True)
    amount = models.BigIntegerField()
    ours = models.JSONField(null=True)
    theirs = models.JSONField(null=True)
    state = models.CharField(max_length=20, default="open")
    holder = models.CharField(max_length=80, default="")
    due_on = models.DateField()
    resolution = models.CharField(max_length=400, default="")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("due_on", "number")
        constraints = (
            models.UniqueConstraint(
                fields=("subject", "reason"), condition=~models.Q(state="closed"), name="exceptions_case_once"
            ),
        )

    def __str__(self) -> str:
        return self.number
