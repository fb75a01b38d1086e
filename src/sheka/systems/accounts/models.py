"""Accounts and their entries (S6). Entries and transfers are written by the functions of sql/ledger.sql only."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sheka.office.organisations.models import Organisation


class Kind(models.TextChoices):
    """What an account is for. Personal accounts hold their balance in the row; the others are the sum of their entries,
    because a row that every purchase changes would make all purchases wait for each other."""

    PERSONAL = "personal"
    INSTITUTION = "institution"
    FUND = "fund"
    SUSPENSE = "suspense"


class Account(models.Model):
    """A personal account belongs to a person and a scheme, not to a card: a new card changes nothing (R6).

    `party` is the code of the institution, fund or purpose that an account without a person stands for. Amounts are
    fen.
    """

    number = models.CharField(max_length=29, unique=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey("cards.Person", null=True, on_delete=models.PROTECT, related_name="+")
    scheme = models.CharField(max_length=3, default="")
    party = models.CharField(max_length=20, default="")
    state = models.CharField(max_length=20, default="open")
    balance = models.BigIntegerField(null=True)
    never_negative = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(never_negative=False) | Q(balance__isnull=False, balance__gte=0),
                name="accounts_account_no_overdraft",
            ),
            models.CheckConstraint(
                condition=~Q(kind="personal") | Q(person__isnull=False, balance__isnull=False, never_negative=True),
                name="accounts_account_personal",
            ),
            models.UniqueConstraint(
                fields=("person", "scheme"), condition=Q(kind="personal"), name="accounts_account_person_scheme"
            ),
            models.UniqueConstraint(
                fields=("organisation", "kind", "party"),
                condition=~Q(kind="personal"),
                name="accounts_account_party",
            ),
        )

    def __str__(self) -> str:
        return self.number


class EntryKind(models.IntegerChoices):
    """What an entry came from; the numbers stand in the tables for ever."""

    PURCHASE = 1
    REVERSAL = 2
    DEPOSIT = 3
    CORRECTION = 4


class Entry(models.Model):
    """One side of a posting: `amount` in fen, above zero when it adds to the account."""

    pk = models.CompositePrimaryKey("account_id", "posting_id")
    posting_id = models.BigIntegerField()
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, db_constraint=False, related_name="entries")
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField(null=True)
    booked_at = models.DateTimeField()
    document_date = models.DateField()
    kind = models.SmallIntegerField(choices=EntryKind.choices)

    class Meta:
        managed = False
        db_table = "accounts_entry"
        ordering = ("-posting_id",)


class Transfer(models.Model):
    """A posting that is not a card transaction; `client_id` makes it idempotent, `refusal` 0 means booked."""

    client_id = models.UUIDField(primary_key=True)
    posting_id = models.BigIntegerField(unique=True)
    kind = models.SmallIntegerField(choices=EntryKind.choices)
    debit = models.ForeignKey(Account, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    credit = models.ForeignKey(Account, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    amount = models.BigIntegerField()
    reference = models.TextField()
    refusal = models.IntegerField()
    organisation = models.ForeignKey(Organisation, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "accounts_transfer"
        ordering = ("-posting_id",)
