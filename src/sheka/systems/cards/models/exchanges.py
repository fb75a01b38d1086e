"""Exchanges of cards: what was shown, what it costs and why, when the new card is ready, who took it (R1-R8)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sheka.office.organisations.models import Organisation
from sheka.systems.cards.models.cards import Card
from sheka.systems.cards.models.people import DataChange, Person
from sheka.systems.cards.states import OPEN_EXCHANGE


class ExchangeCase(models.Model):
    """One exchange. `number` is printed on the replacement confirmation."""

    number = models.CharField(max_length=30, unique=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="exchanges")
    old_card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="exchanges")
    new_card = models.OneToOneField(Card, on_delete=models.PROTECT, related_name="exchange_for")
    outlet = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    ground = models.CharField(max_length=20)
    state = models.CharField(max_length=20, default="applied")
    finding = models.JSONField(null=True)
    change = models.ForeignKey(DataChange, null=True, on_delete=models.PROTECT, related_name="exchanges")
    proxy_name = models.CharField(max_length=150, default="")
    proxy_number = models.CharField(max_length=18, default="")
    proxy_relation = models.CharField(max_length=60, default="")
    fee_fen = models.BigIntegerField()
    fee_working = models.JSONField()
    fee_receipt = models.CharField(max_length=40, default="")
    fee_paid_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField()
    applied_on = models.DateField()
    due_on = models.DateField()
    due_provisional = models.BooleanField()
    due_strip = models.JSONField()
    proof_number = models.CharField(max_length=30, unique=True)
    proof_to = models.DateField()
    by = models.CharField(max_length=80)
    ready_at = models.DateTimeField(null=True)
    collected_at = models.DateTimeField(null=True)
    collected_by = models.CharField(max_length=10, default="")
    old_card_returned = models.BooleanField(null=True)
    not_returned_reason = models.CharField(max_length=200, default="")
    cancel_reason = models.CharField(max_length=200, default="")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-applied_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("person",), condition=Q(state__in=OPEN_EXCHANGE), name="cards_exchange_one_open"
            ),
            models.UniqueConstraint(
                fields=("change",), condition=~Q(state="cancelled"), name="cards_exchange_form_once"
            ),
            models.CheckConstraint(condition=Q(fee_fen__gte=0), name="cards_exchange_fee"),
            models.CheckConstraint(
                condition=~Q(ground="data_changed") | Q(change__isnull=False), name="cards_exchange_needs_form"
            ),
        )

    @property
    def by_proxy(self) -> bool:
        return bool(self.proxy_name)

    @property
    def subject(self) -> str:
        return f"exchange:{self.number}"


class DocumentCheck(models.Model):
    """A document that was shown at the application or the collection: original seen, copy kept."""

    exchange = models.ForeignKey(ExchangeCase, on_delete=models.PROTECT, related_name="documents")
    step = models.CharField(max_length=12, choices=(("application", "application"), ("collection", "collection")))
    kind = models.CharField(max_length=20)
    number = models.CharField(max_length=40, default="")
    original_seen = models.BooleanField()
    copy_kept = models.BooleanField()
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("exchange", "step", "kind"), name="cards_document_once"),)
