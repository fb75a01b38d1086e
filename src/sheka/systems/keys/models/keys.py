"""References to keys, never keys: the key itself stays in the encryption machine (K1-K3, design §2.8)."""

from __future__ import annotations

from django.db import models

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.organisations.models import Organisation


class Key(models.Model):
    """A key that an organisation holds in its machine: generated there, or imported as a sub-key of its superior.

    `owner_level` is the level that generates the root (ministry, province, city; "maker" for transport keys of blank
    chips). `reference` and `check_value` are empty while the key is planned. `incident` names the incident by which the
    key is suspended, `state_before` the state to which it then returns. Both check values are upper-case hex.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="keys")
    name = models.CharField(max_length=40)
    algorithm = models.PositiveSmallIntegerField()
    version = models.PositiveSmallIntegerField()
    usage = models.CharField(max_length=20)
    owner_level = models.CharField(max_length=10)
    reference = models.CharField(max_length=64, default="")
    check_value = models.CharField(max_length=8, default="")
    origin = models.CharField(max_length=10, choices=(("generated", "generated"), ("imported", "imported")))
    came_from = models.CharField(max_length=40, default="")
    parent_check_value = models.CharField(max_length=8, default="")
    factor = models.CharField(max_length=16, default="")
    state = models.CharField(max_length=20, default="planned")
    state_before = models.CharField(max_length=20, default="")
    incident = models.CharField(max_length=40, default="")
    since = models.DateTimeField()

    class Meta:
        ordering = ("organisation_id", "algorithm", "name", "version")
        constraints = (
            models.UniqueConstraint(fields=("organisation", "name", "algorithm", "version"), name="keys_key_once"),
        )

    @property
    def label(self) -> str:
        """The key's name with algorithm and version, as subjects and addresses have it: "IRK.SM4.1"."""
        return f"{self.name}.{Algorithm(self.algorithm).name}.{self.version}"

    @property
    def subject(self) -> str:
        """How audit rows, work and incidents name the key."""
        return f"key:{self.label}"


class KeyMove(models.Model):
    """One step in the life of a key, written in the transaction of what happened; never changed."""

    key = models.ForeignKey(Key, on_delete=models.PROTECT, related_name="moves")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    verb = models.CharField(max_length=30)
    state = models.CharField(max_length=20)
    about = models.CharField(max_length=120, default="")
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "pk")
