"""The registry of institutions and terminals, and the transactions that the switch writes (S4)."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation


class Institution(models.Model):
    """A designated institution that takes the card.

    `mac_key` is a reference into the encryption machine of its organisation.
    """

    id = models.AutoField(primary_key=True)
    code = models.CharField(max_length=15, unique=True)
    name = models.CharField(max_length=120)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    mac_key = models.CharField(max_length=64)
    mac_check_value = models.CharField(max_length=8)
    state = models.CharField(max_length=20, default="registered")
    registered_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Terminal(models.Model):
    """A terminal by its 12-digit number (LD/T 33): six of the issuing region, six of the PSAM's issuer."""

    id = models.AutoField(primary_key=True)
    number = models.CharField(max_length=12, unique=True)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="terminals")
    state = models.CharField(max_length=20, default="registered")
    registered_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.number


class Window(models.Model):
    """A clearing window: what was booked between its opening and its closing. One is open at a time."""

    settlement_date = models.DateField(unique=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "transactions_window"
        ordering = ("-settlement_date",)


class TransactionKind(models.IntegerChoices):
    """What a row is; the numbers stand in the table for ever."""

    PURCHASE = 1
    REVERSAL = 2


class Transaction(models.Model):
    """One request of a terminal and its answer, as sql/tables.sql lays it down. `refusal` 0: approved."""

    id = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    card_id = models.BigIntegerField(null=True)
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField(null=True)
    window = models.ForeignKey(Window, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    seal = models.BigIntegerField()
    reverses = models.BigIntegerField(null=True)
    booked_at = models.DateTimeField()
    business_date = models.DateField()
    institution = models.ForeignKey(Institution, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    terminal = models.ForeignKey(Terminal, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    stan = models.IntegerField()
    local_time = models.IntegerField()
    refusal = models.IntegerField()
    kind = models.SmallIntegerField(choices=TransactionKind.choices)
    currency = models.SmallIntegerField()
    country = models.SmallIntegerField()
    card_number = models.TextField()
    scheme = models.TextField()
    rrn = models.TextField()

    class Meta:
        managed = False
        db_table = "transactions_transaction"
        ordering = ("-id",)

    @property
    def approved(self) -> bool:
        return self.refusal == 0

    @property
    def effect(self) -> int:
        """What it did to the personal account, in fen."""
        if self.refusal or self.account_id is None:
            return 0
        return self.amount if self.kind == TransactionKind.REVERSAL else -self.amount


class Anchor(models.Model):
    """Seals under one Merkle root (`anchors`); `sequence` is the row of the audit chain that holds the root."""

    root = models.BinaryField()
    seals = models.PositiveIntegerField()
    sequence = models.BigIntegerField()
    anchored_at = models.DateTimeField()


class AnchoredStretch(models.Model):
    """The seals of one stream under an anchor: places `first` to `last`."""

    anchor = models.ForeignKey(Anchor, on_delete=models.PROTECT, related_name="stretches")
    stream = models.BigIntegerField()
    first = models.BigIntegerField()
    last = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("stream", "first"), name="transactions_stretch_once"),)
        indexes = (models.Index(fields=("stream", "-last"), name="transactions_stretch_last"),)
