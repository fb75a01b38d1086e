"""A client of the API, its secrets and tokens (digests only), what it sent in a minute, what it was answered."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import F, Q

from sheka.office.organisations.models import Organisation


class Client(models.Model):
    """A program of one organisation. `scopes` are permissions; the last day `valid_to` no longer counts."""

    code = models.CharField(max_length=24, primary_key=True)
    name = models.CharField(max_length=80)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    scopes = models.JSONField()
    a_minute = models.PositiveIntegerField()
    valid_from = models.DateField()
    valid_to = models.DateField()
    ended_at = models.DateTimeField(null=True)
    wrong_secrets = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    made_by = models.CharField(max_length=80)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ("name", "code")
        constraints = (models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="clients_client_dates"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    @property
    def subject(self) -> str:
        """How audit rows name it."""
        return f"client:{self.code}"

    def state_on(self, day: date) -> str:
        """active, expired or ended."""
        if self.ended_at is not None:
            return "ended"
        return "active" if self.valid_from <= day < self.valid_to else "expired"


class Secret(models.Model):
    """A secret, known by its SM3 digest. `valid_until` is set when a later one takes its place: they overlap."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="secrets")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-made_at", "-pk")


class Token(models.Model):
    """An access token, known by its SM3 digest. It dies with its secret, with its client, and by itself."""

    digest = models.CharField(max_length=64, primary_key=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="tokens")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    secret = models.ForeignKey(Secret, on_delete=models.PROTECT, related_name="tokens")
    scopes = models.JSONField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class Minute(models.Model):
    """How many requests a client sent in one minute."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="minutes")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    start = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("client", "start"), name="clients_minute_once"),)


class Reply(models.Model):
    """What a client was answered to an Idempotency-Key; written in the transaction of what was done."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="replies")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=64)
    request = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("client", "key"), name="clients_reply_once"),)
