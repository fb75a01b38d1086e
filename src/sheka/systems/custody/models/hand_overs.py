"""Hand-overs: who gave which carriers to whom, both present; a copy at each of two organisations (K6, K7)."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation
from sheka.office.staff.models import StaffMember
from sheka.systems.custody.models.parties import Entrustment
from sheka.systems.custody.states import HAND_OVER


class Purpose(models.TextChoices):
    """What a hand-over is for; it decides in which state the carriers are afterwards."""

    USE = "use"
    KEEP = "keep"
    SEND = "send"
    ENTRUST = "entrust"
    RETURN = "return"


class HandOver(models.Model):
    """One hand-over, as `organisation` holds it.

    `items`: [{serial, kind, batch, content, issued_at, order}] as they were when it began. `digest`: SM3 over what both
    sides agree to (`ledger.hand_over_digest`). `bag` and `courier` are empty when it is done at one desk. `receiver` is
    the login that was named, empty for whoever may receive at the other organisation. `outsider`: who took it along
    for a third party, with the identity document that was shown.
    """

    number = models.CharField(max_length=30)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    sender = models.CharField(max_length=20)
    recipient = models.CharField(max_length=20)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    reason = models.CharField(max_length=200)
    items = models.JSONField()
    bag = models.CharField(max_length=40, default="", blank=True)
    courier = models.CharField(max_length=120, default="", blank=True)
    digest = models.CharField(max_length=64)
    giver = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="+")
    giver_name = models.CharField(max_length=80)
    giver_person = models.CharField(max_length=64)
    receiver = models.CharField(max_length=60, default="", blank=True)
    receiver_name = models.CharField(max_length=80, default="", blank=True)
    entrustment = models.ForeignKey(Entrustment, null=True, on_delete=models.PROTECT, related_name="hand_overs")
    outsider = models.CharField(max_length=120, default="", blank=True)
    state = models.CharField(max_length=12, default=HAND_OVER.initial)
    certified = models.BooleanField(null=True)
    note = models.CharField(max_length=200, default="", blank=True)
    begun_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    given_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    overdue_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-begun_at", "-pk")
        constraints = (models.UniqueConstraint(fields=("number", "organisation"), name="custody_hand_over_once"),)

    @property
    def subject(self) -> str:
        return f"hand_over:{self.number}"

    @property
    def serials(self) -> list[str]:
        return [item["serial"] for item in self.items]

    @property
    def within(self) -> bool:
        """Whether giver and receiver belong to one organisation."""
        return self.sender == self.recipient
