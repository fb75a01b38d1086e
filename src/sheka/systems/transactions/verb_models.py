"""What stands beside the transactions (S4, S10): what became of an original, what is abnormal, batches of terminals.

Tables of sql/kinds.sql; functions of the switch write them, nobody changes them.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from sheka.systems.transactions.models import Institution, Terminal, TransactionKind, Window

GRANTED = 0
"""The kind of a link that is no transaction: the posting of a decision about a dispute."""


class Link(models.Model):
    """What became of an approved row: `transaction` took `amount` fen back of `original`, completed or refunded it; or
    a decision of the exceptions desk gave it back (kind 0), then `transaction_id` is its posting.
    """

    pk = models.CompositePrimaryKey("original", "transaction_id")
    original = models.BigIntegerField()
    transaction_id = models.BigIntegerField(db_column="id")
    institution = models.ForeignKey(Institution, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    business_date = models.DateField()
    kind = models.SmallIntegerField(choices=TransactionKind.choices)
    amount = models.BigIntegerField()
    hold = models.BigIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "transactions_link"


class Abnormal(models.Model):
    """Something that somebody has to look at (S10), told once for a request: append-only, written where it is booked
    or refused. The kinds stand in docs/systems/transactions.md.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    kind = models.TextField()
    institution = models.ForeignKey(Institution, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    terminal = models.ForeignKey(
        Terminal, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    business_date = models.DateField(null=True)
    stan = models.IntegerField(null=True)
    facts = models.JSONField()

    class Meta:
        managed = False
        db_table = "transactions_abnormal"
        ordering = ("id",)


class Batch(models.Model):
    """A terminal's batch as it asked us to compare it (0500). `theirs` and `ours`: numbers and sums in the order of
    fields 74 to 77 and 86 to 89. `refusal` 0: in balance.
    """

    id = models.BigAutoField(primary_key=True)
    institution = models.ForeignKey(Institution, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    terminal = models.ForeignKey(Terminal, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    business_date = models.DateField()
    stan = models.IntegerField()
    window = models.ForeignKey(Window, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    after_upload = models.BooleanField()
    theirs = ArrayField(models.BigIntegerField(), size=8)
    ours = ArrayField(models.BigIntegerField(), size=8)
    refusal = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "transactions_batch"
        ordering = ("-id",)


class BatchLine(models.Model):
    """A line that a terminal uploaded (0320) and what we say to it; `transaction_id`: our row, None: we have none."""

    id = models.BigAutoField(primary_key=True)
    institution = models.ForeignKey(Institution, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    terminal = models.ForeignKey(Terminal, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    business_date = models.DateField()
    stan = models.IntegerField()
    reversal = models.BooleanField()
    window = models.ForeignKey(Window, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    amount = models.BigIntegerField()
    card_number = models.TextField()
    transaction_id = models.BigIntegerField(null=True)
    refusal = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "transactions_batch_line"
        ordering = ("id",)


class OfflineNumber(models.Model):
    """Which request used what a card and a PSAM signed (C1, docs/adr/0033): the functions of the switch alone write it,
    and rows go when they are old. `written` stands for the transaction that did.
    """

    pk = models.CompositePrimaryKey("business_date", "terminal", "card_number", "sequence")
    business_date = models.DateField()
    terminal = models.ForeignKey(Terminal, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    card_number = models.TextField()
    sequence = models.BigIntegerField()
    institution = models.ForeignKey(Institution, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    stan = models.IntegerField()

    class Meta:
        managed = False
        db_table = "transactions_offline"
