"""The issuers that came of applications; the applications themselves are requests for approval (office/approvals)."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation


class Issuer(models.Model):
    """A right to issue: the number that the ministry assigned, how many cards, in which layout (I3, I6).

    The ministry holds the row that makes the number unique; the city holds its own copy.
    """

    held_by = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    organisation = models.CharField(max_length=20)
    number = models.CharField(max_length=24)
    application = models.UUIDField()
    quantity = models.PositiveIntegerField()
    layout_digest = models.CharField(max_length=64)
    valid_from = models.DateField()
    valid_to = models.DateField()
    filing_reference = models.CharField(max_length=60, default="")
    filed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("held_by", "number"), name="issuance_number_unique"),
            models.UniqueConstraint(fields=("held_by", "organisation"), name="issuance_one_number_an_organisation"),
        )
