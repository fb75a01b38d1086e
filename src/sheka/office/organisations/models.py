"""The tree of organisations: scope of every right and of every row (design §2.6)."""

from __future__ import annotations

from datetime import date

from django.db import models

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.fields import LtreeField


class Kind(models.TextChoices):
    MINISTRY = "ministry"
    PROVINCE = "province"
    CITY = "city"
    DISTRICT = "district"
    OUTLET = "outlet"
    CARD_CENTRE = "card_centre"
    HOSPITAL = "hospital"
    PHARMACY = "pharmacy"
    BANK = "bank"
    CARD_FACTORY = "card_factory"
    PSAM_SUPPLIER = "psam_supplier"
    MACHINE_SUPPLIER = "machine_supplier"
    SECURITY_COMPANY = "security_company"


class Organisation(models.Model):
    """An office or a partner. The code of a bureau is its region (000000 for the ministry); others carry their own."""

    code = models.CharField(max_length=20, primary_key=True)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    region = models.CharField(max_length=6)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    path = LtreeField(unique=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        ordering = ("path",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gt=models.F("valid_from")),
                name="organisations_valid_dates",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def label(self, language: str) -> str:
        """The name in the reader's language."""
        return self.name if language.startswith("zh") else self.name_en

    @classmethod
    def in_force(cls, day: date) -> models.Q:
        """The condition that an organisation works on `day`: the day of closing no longer counts."""
        return models.Q(valid_from__lte=day) & (models.Q(valid_to__isnull=True) | models.Q(valid_to__gt=day))

    def must_be_in_force(self, day: date) -> None:
        """Raises Refused(ORGANISATION_NOT_IN_FORCE) for one that is closed on `day`, or not yet open."""
        if day < self.valid_from or (self.valid_to is not None and self.valid_to <= day):
            raise Refused(Code.ORGANISATION_NOT_IN_FORCE, organisation=Term(self.name, self.name_en), date=day)

    @property
    def superior(self) -> Organisation | None:
        return self.parent
