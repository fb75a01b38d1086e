"""The right to issue that the ministry gave, and the counter from which card numbers come (I6)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from sheka.office.organisations.models import Organisation


class IssuingRight(models.Model):
    """How many cards an organisation may issue, under which number, in which layout, from when to when."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=24)
    quantity = models.PositiveIntegerField()
    layout_digest = models.CharField(max_length=64)
    valid_from = models.DateField()
    valid_to = models.DateField()
    taken_at = models.DateTimeField()

    class Meta:
        ordering = ("organisation_id", "number")
        constraints = (
            models.UniqueConstraint(fields=("organisation", "number"), name="cards_right_once"),
            models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="cards_right_dates"),
        )


class Numbering(models.Model):
    """The last serial that a city gave; the row is the lock under which serials are given."""

    organisation = models.OneToOneField(Organisation, primary_key=True, on_delete=models.PROTECT, related_name="+")
    last_serial = models.PositiveIntegerField(default=0)
