"""Carriers of keys: a row in the register of every organisation through whose hands one went, and its life (K5, K6)."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation
from sheka.office.staff.models import StaffMember
from sheka.systems.custody.states import CARRIER, ORDER


class Kind(models.TextChoices):
    """What a carrier is (K5)."""

    MASTER_KEY_CARD = "master_key_card"
    KEY_MOTHER_CARD = "key_mother_card"
    TRANSMISSION_KEY_CARD = "transmission_key_card"
    PSAM = "psam"


class Place(models.Model):
    """Where carriers lie: a safe, a cabinet in a vault, a shelf in it. `parent` is the place that it is part of."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="parts")
    name = models.CharField(max_length=60)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "parent", "name"), nulls_distinct=False, name="custody_place_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.parent} / {self.name}" if self.parent else self.name


class CarrierOrder(models.Model):
    """An order of carriers, as the one who asked and the ministry each hold it. `approval` is the request's number."""

    number = models.CharField(max_length=30)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(max_length=20)
    kind = models.CharField(max_length=24, choices=Kind.choices)
    count = models.PositiveIntegerField()
    issued = models.PositiveIntegerField(default=0)
    purpose = models.CharField(max_length=200)
    approval = models.UUIDField()
    state = models.CharField(max_length=12, default=ORDER.initial)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at", "-pk")
        constraints = (models.UniqueConstraint(fields=("number", "organisation"), name="custody_order_once"),)

    @property
    def subject(self) -> str:
        return f"carrier_order:{self.number}"


class Carrier(models.Model):
    """A carrier in the register of `organisation`.

    `at`: the organisation that has it now, also when that is another one. `certified`: the ministry has confirmed that
    it issued this serial. `content`: [{name, version, algorithm, check_value}]; never a key. `hand_over`: the number
    of the hand-over that is under way. `state_before` is where a frozen one goes back to.
    """

    serial = models.CharField(max_length=32)
    kind = models.CharField(max_length=24, choices=Kind.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    batch = models.CharField(max_length=40, default="", blank=True)
    state = models.CharField(max_length=12, default=CARRIER.initial, choices=[(s, s) for s in CARRIER.states])
    state_before = models.CharField(max_length=12, default="", blank=True)
    at = models.CharField(max_length=20)
    place = models.ForeignKey(Place, null=True, on_delete=models.PROTECT, related_name="carriers")
    keeper = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="+")
    keeper_name = models.CharField(max_length=80, default="", blank=True)
    content = models.JSONField(default=list)
    seal = models.CharField(max_length=40, default="", blank=True)
    order_number = models.CharField(max_length=30, default="", blank=True)
    certified = models.BooleanField(default=False)
    hand_over = models.CharField(max_length=30, default="", blank=True)
    issued_at = models.DateTimeField()
    since = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("serial",)
        constraints = (models.UniqueConstraint(fields=("serial", "organisation"), name="custody_carrier_once"),)
        indexes = (
            models.Index(fields=("organisation", "state", "serial"), name="custody_carrier_state"),
            models.Index(fields=("place",), name="custody_carrier_place"),
        )

    @property
    def subject(self) -> str:
        """How audit rows, documents, incidents and messages name it."""
        return f"carrier:{self.serial}"

    def __str__(self) -> str:
        return self.serial


class CarrierEvent(models.Model):
    """One link of the chain of custody; append-only (sql/custody.sql)."""

    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    event = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    by = models.CharField(max_length=80)

    class Meta:
        ordering = ("at", "pk")
        indexes = (models.Index(fields=("carrier", "at"), name="custody_event_carrier"),)
