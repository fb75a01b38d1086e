"""Who was in when: sessions, the history of sign-ins, proofs of presence, and the count of tries."""

from __future__ import annotations

from uuid import uuid4

from django.db import models

from sheka.office.organisations.models import Organisation
from sheka.office.staff.models.people import StaffMember


class StaffSession(models.Model):
    """A person signed in with both factors, until `ended_at`. `key` is the browser's session; it is never shown."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="sessions")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    factor = models.CharField(max_length=20)
    address = models.CharField(max_length=45)
    agent = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=20, default="", blank=True)

    class Meta:
        ordering = ("-started_at",)
        indexes = (models.Index(fields=("staff", "-started_at"), name="staff_session_of"),)


class SignIn(models.Model):
    """One try of a known person to sign in, and what came of it. Tries with unknown names are only counted."""

    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="sign_ins")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    address = models.CharField(max_length=45)
    agent = models.CharField(max_length=200)
    factor = models.CharField(max_length=20)
    outcome = models.CharField(max_length=20)

    class Meta:
        ordering = ("-at",)
        indexes = (models.Index(fields=("staff", "-at"), name="staff_sign_in_of"),)


class Confirmation(models.Model):
    """Presence proved for one decision: bound to person, session and the digest of what is decided; used once."""

    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="confirmations")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    session = models.CharField(max_length=36, blank=True)
    digest = models.CharField(max_length=64)
    nonce = models.BinaryField()
    asked_at = models.DateTimeField()
    factor = models.CharField(max_length=20, default="", blank=True)
    confirmed_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "staff_confirmation"
        indexes = (models.Index(fields=("staff", "digest"), name="staff_confirmation_of"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=True) | models.Q(confirmed_at__isnull=False),
                name="staff_confirmed_before_used",
            ),
        )


class AttemptWindow(models.Model):
    """How many failed tries a client address, or an unknown log-in name (by its keyed digest), made in a window."""

    subject = models.CharField(max_length=60)
    begins_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("subject", "begins_at"), name="staff_attempts_once"),)
