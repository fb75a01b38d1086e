"""People who hold cards, changes of their data (R8), and the imports that brought them in."""

from __future__ import annotations

from django.db import models

from sheka.foundation.numbers import mask_person_number
from sheka.office.organisations.models import Organisation


class Person(models.Model):
    """A holder. Accounts and entitlements hang on this row, not on a card: a new card changes nothing here (R6)."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    social_security_number = models.CharField(max_length=18, unique=True)
    name = models.CharField(max_length=150, db_index=True)
    sex = models.PositiveSmallIntegerField()
    birth = models.DateField()
    ethnic_group = models.CharField(max_length=2)
    birthplace = models.CharField(max_length=6, default="")
    phone = models.CharField(max_length=20, default="")
    address = models.CharField(max_length=200, default="")
    registered_at = models.DateTimeField()

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(sex__in=(1, 2, 9)), name="cards_person_sex"),)

    def __str__(self) -> str:
        return mask_person_number(self.social_security_number)


class Registration(models.Model):
    """Where a person is and was registered, of people who moved to another city of the node; others have no row.

    `until` None: there now. Each of these cities reads the person and the cards: the new one knows which card its
    resident has, the former one still serves the card that it issued and the account that was kept there.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="registrations")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    document = models.CharField(max_length=80, default="")
    by = models.CharField(max_length=80)

    class Meta:
        ordering = ("since", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("person",), condition=models.Q(until=None), name="cards_registration_one_now"
            ),
        )


class DataChange(models.Model):
    """A change of basic data at the social security office; `number` is its confirmation form (R8)."""

    number = models.CharField(max_length=40, unique=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="changes")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    changes = models.JSONField()
    on_card = models.BooleanField()
    evidence = models.CharField(max_length=200)
    by = models.CharField(max_length=80)
    staff_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()


class ImportBatch(models.Model):
    """One file of people and what became of its rows."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200)
    file_digest = models.CharField(max_length=64)
    encoding = models.CharField(max_length=20)
    rows = models.PositiveIntegerField()
    added = models.PositiveIntegerField()
    already_there = models.PositiveIntegerField()
    refused = models.PositiveIntegerField()
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at",)


class ImportLine(models.Model):
    """A row that was not simply added: refused (with the refusal's number), there already, or added with a doubt."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveIntegerField()
    outcome = models.CharField(max_length=20)
    code = models.PositiveIntegerField()
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ("line", "pk")
