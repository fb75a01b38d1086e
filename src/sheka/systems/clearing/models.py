"""Clearing days, the acquirers' files, differences and net positions (S8). Amounts are fen."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation


class Day(models.Model):
    """A sealed day of an organisation: what its institutions booked in one window, counted under the lock that
    closed it. `adjusted` transfers moved money of its institutions beside the card transactions; `adjustments` is
    their sum, above zero when it is owed to the institutions.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    window = models.ForeignKey("transactions.Window", on_delete=models.PROTECT, db_constraint=False, related_name="+")
    settlement_date = models.DateField()
    state = models.CharField(max_length=20, default="sealed")
    count = models.PositiveIntegerField()
    purchases = models.BigIntegerField()
    reversals = models.BigIntegerField()
    adjusted = models.PositiveIntegerField(default=0)
    adjustments = models.BigIntegerField(default=0)
    differences = models.PositiveIntegerField(null=True)
    sealed_at = models.DateTimeField()
    reconciled_at = models.DateTimeField(null=True)
    netted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-settlement_date",)
        constraints = (
            models.UniqueConstraint(fields=("organisation", "window"), name="clearing_day_once"),
            models.UniqueConstraint(fields=("organisation", "settlement_date"), name="clearing_day_date"),
        )

    @property
    def net(self) -> int:
        """What is owed to the institutions."""
        return self.purchases - self.reversals + self.adjustments

    @property
    def result(self) -> str:
        """flat, different, or waiting for the acquirers' files."""
        if self.differences is None:
            return "waiting"
        return "different" if self.differences else "flat"


class AcquirerFile(models.Model):
    """An acquirer's account of a day, as it came."""

    day = models.ForeignKey(Day, on_delete=models.PROTECT, related_name="files")
    acquirer = models.CharField(max_length=15)
    digest = models.CharField(max_length=64)
    count = models.PositiveIntegerField()
    purchases = models.BigIntegerField()
    reversals = models.BigIntegerField()
    imported_by = models.CharField(max_length=80)
    imported_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("day", "acquirer"), name="clearing_file_once"),)


class AcquirerLine(models.Model):
    """One line of an acquirer's file; `kind` as in acquirer_file.KINDS."""

    file = models.ForeignKey(AcquirerFile, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveIntegerField()
    business_date = models.DateField()
    terminal = models.CharField(max_length=12)
    stan = models.PositiveIntegerField()
    kind = models.PositiveSmallIntegerField()
    amount = models.BigIntegerField()
    card_number = models.CharField(max_length=9)
    rrn = models.CharField(max_length=12)


class Net(models.Model):
    """What an institution is owed for a day: `amount` is purchases less reversals plus adjustments."""

    day = models.ForeignKey(Day, on_delete=models.PROTECT, related_name="nets")
    institution = models.ForeignKey("transactions.Institution", on_delete=models.PROTECT, related_name="+")
    count = models.PositiveIntegerField()
    purchases = models.BigIntegerField()
    reversals = models.BigIntegerField()
    adjusted = models.PositiveIntegerField(default=0)
    adjustments = models.BigIntegerField(default=0)
    amount = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("day", "institution"), name="clearing_net_once"),)
