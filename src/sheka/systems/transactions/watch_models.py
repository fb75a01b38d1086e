"""What the switch tells of itself: its messages and its pulse, as sql/messages.sql lays them down (S4, S10)."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation


class SwitchMessage(models.Model):
    """A request and its answer as they stood on a line, PIN block and track 2 blanked. `refusal` None: no answer."""

    id = models.BigIntegerField(primary_key=True)
    came_at = models.DateTimeField()
    went_at = models.DateTimeField(null=True)
    day = models.DateField()
    stan = models.IntegerField(null=True)
    refusal = models.IntegerField(null=True)
    size = models.IntegerField()
    terminal = models.TextField()
    type = models.TextField()
    organisation = models.ForeignKey(Organisation, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    process = models.TextField()
    line = models.TextField()
    request = models.BinaryField()
    answer = models.BinaryField(null=True)

    class Meta:
        managed = False
        db_table = "transactions_message"
        ordering = ("came_at", "id")


class Pulse(models.Model):
    """A second (`span` 1) or a minute (60) of one process and the institutions of one organisation."""

    pk = models.CompositePrimaryKey("span", "at", "process", "organisation_id")
    at = models.DateTimeField()
    span = models.SmallIntegerField()
    organisation = models.ForeignKey(Organisation, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    process = models.TextField()
    answers = models.JSONField()
    latency = models.JSONField()

    class Meta:
        managed = False
        db_table = "transactions_pulse"
        ordering = ("at",)


class ProcessPulse(models.Model):
    """The same of the process itself: it serves the whole node. Times in microseconds."""

    pk = models.CompositePrimaryKey("span", "at", "process")
    at = models.DateTimeField()
    span = models.SmallIntegerField()
    process = models.TextField()
    lines = models.IntegerField()
    queue = models.IntegerField()
    batches = models.IntegerField()
    requests = models.IntegerField()
    largest = models.IntegerField()
    machine = models.BigIntegerField()
    base = models.BigIntegerField()
    cpu = models.BigIntegerField()
    kept = models.BigIntegerField()
    dropped = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "transactions_pulse_process"
        ordering = ("at",)
