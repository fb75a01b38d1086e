"""Stock counts by two people who do not see what should be there, and destruction before two witnesses (K6)."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation
from sheka.office.staff.models import StaffMember
from sheka.systems.custody.models.carriers import Carrier, Place
from sheka.systems.custody.states import COUNT, DESTRUCTION


class StockCount(models.Model):
    """A count sheet of one place with everything in it. While it is open nothing moves into or out of the place."""

    number = models.CharField(max_length=30, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="counts")
    state = models.CharField(max_length=10, default=COUNT.initial)
    expected = models.JSONField(default=list)
    missing = models.JSONField(default=list)
    unexpected = models.JSONField(default=list)
    incident = models.CharField(max_length=40, default="", blank=True)
    by = models.CharField(max_length=80)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-opened_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("place",), condition=models.Q(closed_at__isnull=True), name="custody_count_one_open"
            ),
        )

    @property
    def subject(self) -> str:
        return f"stock_count:{self.number}"


class CountSheet(models.Model):
    """What one counter found; append-only (sql/custody.sql)."""

    count = models.ForeignKey(StockCount, on_delete=models.PROTECT, related_name="sheets")
    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    person = models.CharField(max_length=64)
    name = models.CharField(max_length=80)
    serials = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "pk")
        constraints = (models.UniqueConstraint(fields=("count", "person"), name="custody_count_two_people"),)


class CarrierDestruction(models.Model):
    """Carriers destroyed together. Closed, it and its rows never change again (sql/custody.sql)."""

    number = models.CharField(max_length=30, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, default=DESTRUCTION.initial)
    method = models.CharField(max_length=20)
    reason = models.CharField(max_length=200)
    creator = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    creator_person = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    list_digest = models.CharField(max_length=64)
    closed_by = models.CharField(max_length=80, default="", blank=True)
    closed_at = models.DateTimeField(null=True)
    record_digest = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        ordering = ("-created_at", "-pk")

    @property
    def subject(self) -> str:
        return f"carrier_destruction:{self.number}"


class CarrierDestructionItem(models.Model):
    """One carrier of a destruction; a carrier is destroyed once."""

    destruction = models.ForeignKey(CarrierDestruction, on_delete=models.PROTECT, related_name="items")
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="destructions")
    given_up = models.BooleanField(default=False)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("carrier",), condition=models.Q(given_up=False), name="custody_destruction_once"
            ),
        )


class CarrierDestructionWitness(models.Model):
    """A person who proved presence for exactly the list with this digest."""

    destruction = models.ForeignKey(CarrierDestruction, on_delete=models.PROTECT, related_name="witnesses")
    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    person = models.CharField(max_length=64)
    name = models.CharField(max_length=80)
    list_digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "pk")
        constraints = (
            models.UniqueConstraint(fields=("destruction", "person"), name="custody_destruction_witness_once"),
        )
