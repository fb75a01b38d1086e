"""PSAMs: what the register of an organisation knows of each beside its custody (K8)."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation
from sheka.systems.psams.states import PSAM


class Psam(models.Model):
    """A PSAM in the register of `organisation`; the carrier of custody with the same serial says who holds it where.

    `keys`: [{name, version, algorithm, check_value}], never a key. `level`: the kind of organisation whose keys they
    are, which says how many factors lead from them to a card. `terminal` and `institution` while it is bound. `region`:
    where it is, as six digits. `told_state`, on the rows of those above, is what the organisation that has it says.
    """

    serial = models.CharField(max_length=32)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, default=PSAM.initial, choices=[(state, state) for state in PSAM.states])
    told_state = models.CharField(max_length=12, default="", blank=True)
    level = models.CharField(max_length=10, default="", blank=True)
    keys = models.JSONField(default=list)
    terminal = models.CharField(max_length=12, default="", blank=True)
    institution = models.CharField(max_length=15, default="", blank=True)
    region = models.CharField(max_length=6)
    registered_at = models.DateTimeField()
    since = models.DateTimeField()

    class Meta:
        ordering = ("serial",)
        constraints = (models.UniqueConstraint(fields=("serial", "organisation"), name="psams_psam_once"),)
        indexes = (models.Index(fields=("organisation", "state", "serial"), name="psams_psam_state"),)

    @property
    def subject(self) -> str:
        """How audit rows, documents and incidents name it."""
        return f"psam:{self.serial}"

    @property
    def standing(self) -> str:
        """Its state as far as is known here: what the organisation that has it told, else our own."""
        return self.told_state or self.state

    def __str__(self) -> str:
        return self.serial


class PsamFacts(models.Model):
    """How a PSAM in use is: physical form, external conditions, mode of use, from a day on. Append-only (K8)."""

    psam = models.ForeignKey(Psam, on_delete=models.PROTECT, related_name="facts")
    form = models.CharField(max_length=12)
    conditions = models.CharField(max_length=200)
    mode = models.CharField(max_length=12)
    since = models.DateField()
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at", "-pk")


class PsamEvent(models.Model):
    """One point of a PSAM's life line. Append-only."""

    psam = models.ForeignKey(Psam, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    event = models.CharField(max_length=20)
    facts = models.JSONField(default=dict)
    by = models.CharField(max_length=80)

    class Meta:
        ordering = ("at", "pk")
        indexes = (models.Index(fields=("psam", "at"), name="psams_event_psam"),)
