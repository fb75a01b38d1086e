"""References to keys, never keys: the key itself stays in the encryption machine (design §2.8)."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation


class Machine(models.Model):
    """The encryption machine of an organisation, known to the others by its SM2 public key.

    `certificate` is its product type certificate (K4); a machine without one serves demonstration and test only.
    """

    organisation = models.OneToOneField(Organisation, primary_key=True, on_delete=models.PROTECT)
    product = models.CharField(max_length=120)
    certificate = models.CharField(max_length=60, default="")
    fingerprint = models.CharField(max_length=64)
    public_key = models.CharField(max_length=130)
    registered_at = models.DateTimeField()


class Key(models.Model):
    """A key that an organisation holds in its machine: generated there, or imported as a sub-key of its superior."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="keys")
    name = models.CharField(max_length=40)
    algorithm = models.PositiveSmallIntegerField()
    version = models.PositiveSmallIntegerField()
    usage = models.CharField(max_length=20)
    owner_level = models.CharField(max_length=10)
    reference = models.CharField(max_length=64)
    check_value = models.CharField(max_length=8)
    origin = models.CharField(max_length=10, choices=(("generated", "generated"), ("imported", "imported")))
    came_from = models.CharField(max_length=40, default="")
    parent_check_value = models.CharField(max_length=8, default="")
    factor = models.CharField(max_length=16, default="")
    state = models.CharField(max_length=20, default="active")
    since = models.DateTimeField()

    class Meta:
        ordering = ("organisation_id", "algorithm", "name", "version")
        constraints = (
            models.UniqueConstraint(fields=("organisation", "name", "algorithm", "version"), name="keys_key_once"),
        )


class Delivery(models.Model):
    """A sub-key on its way from a superior to a subordinate; each of the two holds its own row of the same number."""

    number = models.UUIDField()
    held_by = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    sender = models.CharField(max_length=20)
    recipient = models.CharField(max_length=20)
    name = models.CharField(max_length=40)
    algorithm = models.PositiveSmallIntegerField()
    version = models.PositiveSmallIntegerField()
    usage = models.CharField(max_length=20)
    owner_level = models.CharField(max_length=10)
    factor = models.CharField(max_length=16)
    parent_check_value = models.CharField(max_length=8)
    check_value = models.CharField(max_length=8)
    envelope = models.BinaryField()
    state = models.CharField(max_length=20)
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("number", "held_by"), name="keys_delivery_once"),)
