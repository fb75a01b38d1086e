"""What a person proves a sign-in with beside the TOTP devices of django-otp: security keys, recovery codes, old
passwords (kept to be refused), and the codes with which a first or a new start is made.

Codes and passwords are kept as slow hashes, never in clear.
"""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation
from sheka.office.staff.models.people import StaffMember


class SecurityKey(models.Model):
    """A WebAuthn credential. `locked_at`: its counter went backwards, a copy may exist; it never opens again."""

    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="security_keys")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    credential_id = models.BinaryField(unique=True)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField()
    transports = models.JSONField(default=list)
    label = models.CharField(max_length=60)
    made_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    locked_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("made_at",)


class RecoveryCode(models.Model):
    """One of a sheet of codes that each replace a lost second factor once."""

    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="recovery_codes")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=128)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class PasswordUsed(models.Model):
    """The hash of a password that this person had."""

    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="passwords_used")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    password = models.CharField(max_length=128)
    until = models.DateTimeField()

    class Meta:
        ordering = ("-until",)


class EnrolmentCode(models.Model):
    """A code shown once to a security administrator, with which the person, and nobody else, starts the account again.

    `lost` says what is replaced: the password, the second factors, or all of it. What was not lost must still be
    proved, so a code alone takes over an account only where everything is gone (ASVS 6.4.4, 6.4.6).
    """

    class Lost(models.TextChoices):
        PASSWORD = "password"  # noqa: S105 - a word, no secret
        FACTORS = "factors"
        ALL = "all"

    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="enrolment_codes")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=128)
    lost = models.CharField(max_length=10, choices=Lost.choices, default=Lost.ALL)
    reason = models.CharField(max_length=200)
    made_by = models.CharField(max_length=80)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
