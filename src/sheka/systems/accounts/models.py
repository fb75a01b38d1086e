"""Accounts, their entries and held money (S6). Entries, transfers and pending rows are written by the functions of the
ledger (sql/) only.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from sheka.office.organisations.models import Organisation


class Kind(models.TextChoices):
    """What an account is for. Personal accounts hold their balance in the row; the others are the sum of their entries,
    because a row that every purchase changes would make all purchases wait for each other."""

    PERSONAL = "personal"
    INSTITUTION = "institution"
    FUND = "fund"
    SUSPENSE = "suspense"
    BANK = "bank"
    FEE = "fee"
    TRANSIT = "transit"
    FORMER = "former"
    """A personal account that was closed when its holder moved: its history stays in the books of that city."""


class Account(models.Model):
    """A personal account belongs to a person and a scheme, not to a card: a new card changes nothing (R6).

    `party` is the code of the institution, fund or purpose that an account without a person stands for. Amounts are
    fen. `held` is the sum of what is reserved by pending rows without an end, kept where the balance is kept: what may
    be spent is `available`. `upper_limit`: no transfer brings the balance above it (NULL: no limit); money that comes
    back from a purchase may.
    """

    number = models.CharField(max_length=29, unique=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey("cards.Person", null=True, on_delete=models.PROTECT, related_name="+")
    scheme = models.CharField(max_length=3, default="")
    party = models.CharField(max_length=20, default="")
    state = models.CharField(max_length=20, default="open")
    balance = models.BigIntegerField(null=True)
    held = models.BigIntegerField(default=0, db_default=0)
    upper_limit = models.BigIntegerField(null=True)
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
                condition=Q(held=0) | Q(held__gt=0, balance__isnull=False), name="accounts_account_held"
            ),
            models.CheckConstraint(
                condition=Q(never_negative=False) | Q(balance__gte=F("held")), name="accounts_account_available"
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

    @property
    def available(self) -> int | None:
        """What may be spent, in fen: the balance less what is held. None where the row keeps no balance."""
        return None if self.balance is None else self.balance - self.held


class EntryKind(models.IntegerChoices):
    """What an entry came from; the numbers stand in the tables for ever."""

    PURCHASE = 1
    REVERSAL = 2
    DEPOSIT = 3
    CORRECTION = 4
    COMPLETION = 5
    REFUND = 6
    VOID = 7
    INTEREST = 8
    MOVING = 9
    INHERITANCE = 10
    CLOSING = 11
    ADJUSTMENT = 12
    TRANSFER = 13
    FEE = 14


OF_THE_SWITCH = (EntryKind.PURCHASE, EntryKind.REVERSAL, EntryKind.COMPLETION, EntryKind.REFUND, EntryKind.VOID)
"""Kinds whose document is a card transaction; the document of every other entry is a transfer."""


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


class Verb(models.IntegerChoices):
    """What a transfer does: book at once, hold money, or end what was held."""

    BOOK = 1
    HOLD = 2
    POST = 3
    VOID = 4


class Transfer(models.Model):
    """A posting that is not a card transaction; `client_id` makes it idempotent, `refusal` 0 means done.

    `pending` is the number of the held money that a POST or VOID ends. `chain` is the client number of the first of
    linked transfers, `chain_size` how many they are. `window` is the clearing window it belongs to: one that moves
    money of an institution's account belongs to the window open at that moment, others to none.
    """

    client_id = models.UUIDField(primary_key=True)
    posting_id = models.BigIntegerField(unique=True)
    kind = models.SmallIntegerField(choices=EntryKind.choices)
    debit = models.ForeignKey(Account, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    credit = models.ForeignKey(Account, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    amount = models.BigIntegerField()
    reference = models.TextField()
    refusal = models.IntegerField()
    organisation = models.ForeignKey(Organisation, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    at = models.DateTimeField()
    verb = models.SmallIntegerField(choices=Verb.choices)
    pending_id = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField(null=True)
    chain = models.UUIDField(null=True)
    chain_size = models.IntegerField(null=True)
    window_id = models.BigIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "accounts_transfer"
        ordering = ("-posting_id",)


class PendingKind(models.IntegerChoices):
    """Why money is held; the numbers stand in the table for ever."""

    PRE_AUTHORISATION = 1
    FREEZE = 2
    TRANSFER = 3


class Pending(models.Model):
    """Money held on an account, written once; its number is one of the postings'. No `counter`: a freeze of an
    amount. No `expires_at`: held until somebody ends it.
    """

    id = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, db_constraint=False, related_name="pendings")
    counter = models.ForeignKey(Account, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    amount = models.BigIntegerField()
    kind = models.SmallIntegerField(choices=PendingKind.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    reference = models.TextField()

    class Meta:
        managed = False
        db_table = "accounts_pending"
        ordering = ("-id",)


class Ending(models.IntegerChoices):
    """How held money ended; the numbers stand in the table for ever."""

    POSTED = 1
    VOIDED = 2
    EXPIRED = 3


class PendingEnd(models.Model):
    """The one end of held money: `amount` fen were posted as `posting_id`, the rest was released."""

    pending = models.OneToOneField(
        Pending, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="end"
    )
    ending = models.SmallIntegerField(choices=Ending.choices)
    amount = models.BigIntegerField()
    posting_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    reference = models.TextField()
    number = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "accounts_pending_end"


class PendingOpen(models.Model):
    """What is held now: a work table that triggers keep beside the two above, so that the sweep of expiries and a
    page of an account read what is open and nothing else.
    """

    pending = models.OneToOneField(
        Pending, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="open"
    )
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    counter = models.ForeignKey(Account, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    amount = models.BigIntegerField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "accounts_pending_open"


from sheka.systems.accounts.models_of_moving import LateMoney, Moving  # noqa: E402
from sheka.systems.accounts.models_of_orders import (  # noqa: E402 - Django finds an app's models here
    Correction,
    DepositFile,
    DepositLine,
    Freeze,
    InterestLine,
    InterestRun,
    Payout,
    Succession,
)

__all__ = [
    "OF_THE_SWITCH",
    "Account",
    "Correction",
    "DepositFile",
    "DepositLine",
    "Ending",
    "Entry",
    "EntryKind",
    "Freeze",
    "InterestLine",
    "InterestRun",
    "Kind",
    "LateMoney",
    "Moving",
    "Payout",
    "Pending",
    "PendingEnd",
    "PendingKind",
    "PendingOpen",
    "Succession",
    "Transfer",
    "Verb",
]
