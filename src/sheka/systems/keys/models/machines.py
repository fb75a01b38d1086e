"""The registry of encryption machines: which one an organisation uses, and by what certificate (K2, K4)."""

from __future__ import annotations

from datetime import date

from django.db import models

from sheka.office.organisations.models import Organisation


class Machine(models.Model):
    """The encryption machine of an organisation, known to the others by its SM2 public key.

    `certificate` is its commercial-cryptography product type certificate (K4), `level` its security level by GM/T 0028
    (1-4), `document` the number of the kept copy. `production_until` is the last day of production work, none without
    a certificate in force; `stopped` lists the references of keys that an incident suspended. The door (machines.py)
    and the switch read these two.
    """

    organisation = models.OneToOneField(Organisation, primary_key=True, on_delete=models.PROTECT)
    product = models.CharField(max_length=120)
    model = models.CharField(max_length=60, default="")
    serial = models.CharField(max_length=40, default="")
    place = models.CharField(max_length=120, default="")
    supplier = models.CharField(max_length=120, default="")
    certificate = models.CharField(max_length=60, default="")
    level = models.PositiveSmallIntegerField(null=True)
    valid_from = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    document = models.CharField(max_length=60, default="")
    state = models.CharField(max_length=20, default="registered")
    production_until = models.DateField(null=True)
    warned_days = models.PositiveSmallIntegerField(null=True)
    stopped = models.JSONField(default=list)
    fingerprint = models.CharField(max_length=64)
    public_key = models.CharField(max_length=130)
    registered_at = models.DateTimeField()

    @property
    def subject(self) -> str:
        """How audit rows and work name the machine."""
        return f"machine:{self.organisation_id}"

    def days_left(self, today: date) -> int | None:
        """Days until the certificate's last day; negative when it is over, None without one."""
        return None if self.production_until is None else (self.production_until - today).days
