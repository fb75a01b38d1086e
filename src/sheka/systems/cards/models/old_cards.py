"""Old cards on their way from the outlets to the card centre, and their destruction with witnesses (R4)."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation
from sheka.office.staff.models import StaffMember
from sheka.systems.cards.models.cards import Card


class ReturnTransfer(models.Model):
    """Old cards that an outlet sent to the card centre's service outlet."""

    number = models.CharField(max_length=30, unique=True)
    sender = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, default="sent")
    sent_by = models.CharField(max_length=80)
    sent_at = models.DateTimeField()
    received_by = models.CharField(max_length=80, default="")
    received_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-sent_at",)


class ReturnItem(models.Model):
    """One card in a transfer."""

    transfer = models.ForeignKey(ReturnTransfer, on_delete=models.PROTECT, related_name="items")
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="returns")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("transfer", "card"), name="cards_return_once"),)


class DestructionBatch(models.Model):
    """Cards destroyed together. Closed, it and its rows never change again (trigger in sql/cards.sql)."""

    number = models.CharField(max_length=30, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, default="open")
    method = models.CharField(max_length=60)
    creator = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    creator_person = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    list_digest = models.CharField(max_length=64)
    closed_by = models.CharField(max_length=80, default="")
    closed_at = models.DateTimeField(null=True)
    record_digest = models.CharField(max_length=64, default="")

    class Meta:
        ordering = ("-created_at",)


class DestructionItem(models.Model):
    """One card of a batch; a card is destroyed once."""

    batch = models.ForeignKey(DestructionBatch, on_delete=models.PROTECT, related_name="items")
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="destructions")
    given_up = models.BooleanField(default=False)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("card",), condition=models.Q(given_up=False), name="cards_destruction_once"
            ),
        )


class DestructionWitness(models.Model):
    """A person who saw the destruction of exactly the list with this digest."""

    batch = models.ForeignKey(DestructionBatch, on_delete=models.PROTECT, related_name="witnesses")
    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    person_id = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    list_digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering = ("at",)
        constraints = (models.UniqueConstraint(fields=("batch", "person_id"), name="cards_witness_once"),)
