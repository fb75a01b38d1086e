"""What belongs to an institution beside its row (S4): certificates, tests of its software, requests over REST."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from sheka.office.organisations.models import Organisation
from sheka.systems.transactions.models import Channel, Institution, Terminal


class Certificate(models.Model):
    """A certificate with which an institution's lines prove whose they are.

    `fingerprint`: SHA-256 of the DER form, 64 hexadecimal characters. The certificate itself is public.
    """

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="certificates")
    fingerprint = models.CharField(max_length=64, unique=True)
    subject = models.CharField(max_length=200)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField()
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=80, default="")

    class Meta:
        ordering = ("-valid_from", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="transactions_cert_dates"),
        )


class Onboarding(models.Model):
    """One passage through the script of test transactions (policy/onboarding.toml): one is open at a time.

    `ticks`: name of each step → the id of the Trial that ended it, as it was when the tests were accepted.
    """

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="onboardings")
    protocol = models.CharField(max_length=12)
    software = models.CharField(max_length=60)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    begun_at = models.DateTimeField()
    by = models.CharField(max_length=80)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=80, default="")
    outcome = models.CharField(max_length=10, default="")
    adopted_at = models.DateTimeField(null=True)
    ticks = models.JSONField(default=dict)

    class Meta:
        ordering = ("-begun_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("institution",), condition=Q(ended_at=None), name="transactions_onboarding_once"
            ),
        )


class Trial(models.Model):
    """A message of a test terminal and what the switch answered; written by switch_trials_seen, never changed.

    `stan` and `day` (MMDD) are those of the original for a reversal. `booked`: the number of its row, if it has one.
    """

    id = models.BigAutoField(primary_key=True)
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    type = models.CharField(max_length=4)
    processing = models.CharField(max_length=6)
    network = models.CharField(max_length=3)
    stan = models.CharField(max_length=6)
    day = models.CharField(max_length=4)
    amount = models.BigIntegerField()
    card_number = models.CharField(max_length=19)
    response_code = models.CharField(max_length=2)
    refusal = models.IntegerField()
    booked = models.BigIntegerField(null=True)
    balance = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("terminal", "at"), name="transactions_trial_terminal"),)


class TestCard(models.Model):
    """A card of the city for tests: good at test terminals, and nowhere else, until `ended_at`."""

    __test__ = False  # not a test of pytest's

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    card_number = models.CharField(max_length=19)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("card_number",)
        constraints = (
            models.UniqueConstraint(
                fields=("card_number",), condition=Q(ended_at=None), name="transactions_testcard_once"
            ),
        )


class PartnerRequest(models.Model):
    """What a partner asked over REST, kept before it goes to the switch: the key of its message, and its outcome.

    `key` is the partner's own id of it (the Idempotency-Key). `state`: sent (no outcome known), approved, refused.
    Amounts in fen; `balance` only of an approved request.
    """

    id = models.BigAutoField(primary_key=True)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="+")
    client = models.CharField(max_length=24)
    key = models.CharField(max_length=64)
    request = models.CharField(max_length=64)
    verb = models.CharField(max_length=20)
    card_number = models.CharField(max_length=19)
    scheme = models.CharField(max_length=3)
    currency = models.CharField(max_length=3)
    country = models.CharField(max_length=3)
    amount = models.BigIntegerField(null=True)
    business_date = models.DateField()
    stan = models.IntegerField()
    at = models.DateTimeField()
    original = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="followed")
    state = models.CharField(max_length=10, default="sent")
    refusal = models.IntegerField(default=0)
    response_code = models.CharField(max_length=2, default="")
    authorisation = models.CharField(max_length=6, default="")
    reference = models.CharField(max_length=12, default="")
    balance = models.BigIntegerField(null=True)
    settlement_day = models.CharField(max_length=4, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("institution", "key"), name="transactions_partnerrequest_once"),
            models.UniqueConstraint(
                fields=("terminal", "business_date", "stan"), name="transactions_partnerrequest_stan"
            ),
        )


class TraceCounter(models.Model):
    """The last STAN that the REST face gave to a terminal on a business date."""

    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="+")
    business_date = models.DateField()
    last = models.IntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("terminal", "business_date"), name="transactions_tracecounter_once"),
        )
