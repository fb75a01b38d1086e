"""What was sent and what arrived: the record of every message between organisations (design §3, §4)."""

from __future__ import annotations

from django.db import models


class Source(models.Model):
    """The last sequence number given to a sender: numbers have no gaps, so a missing one can be asked for again."""

    organisation_id = models.CharField(max_length=20, primary_key=True)
    last = models.BigIntegerField(default=0)


class Outbox(models.Model):
    """A message on its way, written in the transaction of what it tells."""

    pk = models.CompositePrimaryKey("source", "sequence")
    source = models.CharField(max_length=20)
    sequence = models.BigIntegerField()
    recipient = models.CharField(max_length=20)
    kind = models.CharField(max_length=60)
    payload = models.JSONField()
    digest = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("sent_at",), condition=models.Q(delivered_at=None), name="office_messages_waiting"),
        )


class Inbox(models.Model):
    """A message that arrived. The primary key makes it arrive once."""

    pk = models.CompositePrimaryKey("source", "sequence")
    source = models.CharField(max_length=20)
    sequence = models.BigIntegerField()
    recipient = models.CharField(max_length=20)
    kind = models.CharField(max_length=60)
    payload = models.JSONField()
    digest = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True)
    failure = models.TextField(default="")
