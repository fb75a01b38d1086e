"""The audit rows. The table is made by SQL (sql/audit.sql), append-only by trigger and grants; nothing points to it."""

from __future__ import annotations

from django.db import models


class Event(models.Model):
    """One thing that one actor did to one subject."""

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    staff_id = models.BigIntegerField(null=True)
    actor = models.TextField()
    organisation_id = models.TextField()
    event = models.TextField()
    subject = models.TextField()
    facts = models.TextField()
    previous = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        managed = False
        db_table = "audit_event"
        ordering = ("sequence",)
