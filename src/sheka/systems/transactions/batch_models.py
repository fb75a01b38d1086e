"""What partners ask over REST of a terminal's batch (S4, S8): totals of a settlement day, and lines of it."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from sheka.systems.transactions.acquiring_models import PartnerRequest
from sheka.systems.transactions.models import Institution, Terminal


class PartnerBatch(models.Model):
    """A batch as a partner asked for it, kept before it goes to the switch.

    `key`: the partner's own id of it (the Idempotency-Key). `upload`: its lines go out, not its totals; then `stan`,
    `theirs` and `ours` are empty. `theirs`, `ours`: eight values in the order of fields 74 to 77 and 86 to 89, sums in
    fen. `state`: kept, sent (no outcome known), in_balance, out_of_balance, refused; of an upload kept, sent, uploaded.
    """

    id = models.BigAutoField(primary_key=True)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="+")
    client = models.CharField(max_length=24)
    key = models.CharField(max_length=64)
    request = models.CharField(max_length=64)
    upload = models.BooleanField()
    settlement_date = models.DateField()
    after_upload = models.BooleanField(default=False)
    theirs = ArrayField(models.BigIntegerField(), size=8, null=True)
    ours = ArrayField(models.BigIntegerField(), size=8, null=True)
    business_date = models.DateField()
    stan = models.IntegerField(null=True)
    at = models.DateTimeField()
    state = models.CharField(max_length=14, default="kept")
    refusal = models.IntegerField(default=0)
    response_code = models.CharField(max_length=2, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("institution", "key"), name="transactions_partnerbatch_once"),
            models.UniqueConstraint(
                fields=("terminal", "business_date", "stan"), name="transactions_partnerbatch_stan"
            ),
        )


class PartnerBatchLine(models.Model):
    """One line of an upload: `about` a request of the partner, which moved `amount` fen.

    `state`: kept, sent (no answer is known), accepted, refused.
    """

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(PartnerBatch, on_delete=models.PROTECT, related_name="lines")
    place = models.PositiveSmallIntegerField()
    about = models.ForeignKey(PartnerRequest, on_delete=models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    stan = models.IntegerField()
    state = models.CharField(max_length=10, default="kept")
    refusal = models.IntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("place",)
        constraints = (models.UniqueConstraint(fields=("batch", "place"), name="transactions_partnerbatchline_once"),)
