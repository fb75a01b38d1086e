"""Cards, their production, and what happened to each of them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from sheka.office.organisations.models import Organisation
from sheka.systems.cards.models.people import Person
from sheka.systems.cards.models.rights import IssuingRight
from sheka.systems.cards.states import IN_PRODUCTION, WITH_HOLDER


class ProductionBatch(models.Model):
    """Cards that were ordered together: one right, one kind of chip, one outlet to which they go."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    right = models.ForeignKey(IssuingRight, on_delete=models.PROTECT, related_name="batches")
    outlet = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    algorithm = models.PositiveSmallIntegerField()
    specification = models.CharField(max_length=4)
    quantity = models.PositiveIntegerField()
    reason = models.CharField(max_length=20, choices=(("order", "order"), ("exchange", "exchange")))
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at",)


class Card(models.Model):
    """One card. `organisation` issued it; `outlet`: where it awaits its holder; `held_at`: where the old card lies."""

    number = models.CharField(max_length=9, unique=True, null=True)
    identification_code = models.CharField(max_length=32, unique=True, null=True)
    chip_serial = models.CharField(max_length=16, unique=True, null=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="cards")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    outlet = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    held_at = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="+")
    batch = models.ForeignKey(ProductionBatch, on_delete=models.PROTECT, related_name="cards")
    right = models.ForeignKey(IssuingRight, on_delete=models.PROTECT, related_name="cards")
    state = models.CharField(max_length=20, default="ordered", db_index=True)
    version = models.PositiveIntegerField(default=1)
    algorithm = models.PositiveSmallIntegerField()
    specification = models.CharField(max_length=4)
    key_version = models.PositiveSmallIntegerField(default=1)
    card_class = models.CharField(max_length=1)
    factor = models.CharField(max_length=16, default="")
    issued_on = models.DateField(null=True)
    expires_on = models.DateField(null=True)
    received_on = models.DateField(null=True)
    activated_at = models.DateTimeField(null=True)
    not_returned_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("pk",)
        indexes = (models.Index(F("issued_on").desc(), "id", name="cards_card_latest"),)
        constraints = (
            models.UniqueConstraint(fields=("person",), condition=Q(state__in=WITH_HOLDER), name="cards_card_one_held"),
            models.UniqueConstraint(
                fields=("person",), condition=Q(state__in=IN_PRODUCTION), name="cards_card_one_in_production"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("ordered", "cancelled")) | Q(number__isnull=False), name="cards_card_numbered"
            ),
        )

    @property
    def subject(self) -> str:
        """How audit rows and messages name the card."""
        return f"card:{self.number}" if self.number else f"card:#{self.pk}"

    @property
    def was_activated(self) -> bool:
        return self.activated_at is not None

    def __str__(self) -> str:
        return self.number or f"#{self.pk}"


class CardEvent(models.Model):
    """One thing that happened to a card, written in the transaction of what happened; append-only (sql/cards.sql)."""

    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    event = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    by = models.CharField(max_length=80)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("at", "pk")
        indexes = (models.Index(fields=("card", "at"), name="cards_event_card"),)


class Personalisation(models.Model):
    """A chip that was taken to become a card. One that failed or was left half-way must be found and destroyed."""

    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="personalisations")
    chip_serial = models.CharField(max_length=16, default="")
    reader = models.CharField(max_length=120)
    state = models.CharField(
        max_length=10, choices=(("started", "started"), ("done", "done"), ("failed", "failed")), default="started"
    )
    code = models.PositiveIntegerField(null=True)
    facts = models.JSONField(default=dict)
    by = models.CharField(max_length=80)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("started_at", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("chip_serial",),
                condition=Q(state="done") & ~Q(chip_serial=""),
                name="cards_personalisation_one_card_a_chip",
            ),
        )
