"""What is put before accounts as a whole (S6): files of deposits, runs of interest, corrections, payments out.

Money is fen. What these rows say was booked stands in the ledger under numbers that are derived from them, so that a
second try books nothing twice.
"""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation


class DepositFile(models.Model):
    """A file of deposits: once received it is checked as a whole, then booked in chunks, each line once.

    `digest` is the SM3 of everything before the trailer and the number that each line's own is derived from;
    `cursor` the last line that was put before the ledger. `content` is kept until the file is checked. `fault`: why
    the whole file was refused, as number and facts of a refusal.
    """

    number = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    fund = models.ForeignKey("accounts.Account", null=True, on_delete=models.PROTECT, related_name="+")
    sender_number = models.CharField(max_length=30, default="")
    period = models.CharField(max_length=6, default="")
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=120)
    content = models.BinaryField(null=True)
    state = models.CharField(max_length=20, default="received")
    lines = models.PositiveIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    refused_total = models.BigIntegerField(default=0)
    booked = models.PositiveIntegerField(default=0)
    booked_total = models.BigIntegerField(default=0)
    cursor = models.PositiveIntegerField(default=0)
    fault = models.JSONField(default=dict)
    received_by = models.CharField(max_length=80)
    received_staff_id = models.BigIntegerField(null=True)
    received_at = models.DateTimeField()
    released_by = models.CharField(max_length=80, default="")
    released_staff_id = models.BigIntegerField(null=True)
    released_at = models.DateTimeField(null=True)
    booked_at = models.DateTimeField(null=True)
    job = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "digest"),
                condition=~models.Q(state__in=("refused", "withdrawn")),
                name="accounts_depositfile_digest",
            ),
            models.UniqueConstraint(
                fields=("organisation", "sender_number"),
                condition=~models.Q(sender_number="") & ~models.Q(state__in=("refused", "withdrawn")),
                name="accounts_depositfile_sender",
            ),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def subject(self) -> str:
        """How audit rows name it."""
        return f"deposit_file:{self.number}"

    @property
    def due(self) -> int:
        """The sum of the lines that can be booked."""
        return self.total - self.refused_total


class DepositLine(models.Model):
    """A line of a checked file. `refusal` 0: it is booked, or will be. `subject`: of a refused line, masked.

    No foreign key in the database: a million lines would ask a million times for the one row of their file, which
    row-level security asks for already (a line is written where its file is seen).
    """

    pk = models.CompositePrimaryKey("file_id", "line")
    file = models.ForeignKey(DepositFile, on_delete=models.PROTECT, related_name="rows", db_constraint=False)
    line = models.PositiveIntegerField()
    account = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    amount = models.BigIntegerField()
    reference = models.CharField(max_length=60)
    refusal = models.PositiveIntegerField(default=0)
    subject = models.CharField(max_length=60, default="")

    class Meta:
        ordering = ("line",)


class InterestRun(models.Model):
    """The interest of a year on the personal accounts of a scheme: reckoned as a set, decided by a second person.

    `terms` are the rows of the policy by which it was reckoned. `digest`: SM3 over every account and amount.
    """

    number = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    fund = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    scheme = models.CharField(max_length=3)
    year = models.PositiveSmallIntegerField()
    terms = models.JSONField()
    state = models.CharField(max_length=20, default="reckoned")
    accounts = models.PositiveIntegerField()
    total = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    booked = models.PositiveIntegerField(default=0)
    booked_total = models.BigIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    proposal = models.UUIDField(null=True)
    made_by = models.CharField(max_length=80)
    made_at = models.DateTimeField()
    booked_at = models.DateTimeField(null=True)
    job = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "scheme", "year"),
                condition=~models.Q(state="withdrawn"),
                name="accounts_interestrun_once",
            ),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def subject(self) -> str:
        """How audit rows and the request for approval name it."""
        return f"interest:{self.number}"


class InterestLine(models.Model):
    """The interest of one account. `base`: the sum of its day-end balances in fen; `booked` when the ledger has it."""

    pk = models.CompositePrimaryKey("run_id", "account_id")
    run = models.ForeignKey(InterestRun, on_delete=models.PROTECT, related_name="rows")
    account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    base = models.DecimalField(max_digits=24, decimal_places=0)
    amount = models.BigIntegerField()
    booked = models.BooleanField(default=False)


class Correction(models.Model):
    """A contra entry and the posting that it takes back, wholly or in part. The original stays as it is."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    original = models.BigIntegerField(db_index=True)
    contra = models.BigIntegerField(unique=True)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=300)
    proposal = models.UUIDField(unique=True)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()


class Payout(models.Model):
    """Money that leaves an account for a bank account outside: the order to the bank, with its paper.

    `reason`: moving, closing or inheritance. The bank account is shown masked and printed whole.
    """

    number = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="payouts")
    reason = models.CharField(max_length=20)
    amount = models.BigIntegerField()
    payee = models.CharField(max_length=150)
    bank = models.CharField(max_length=120)
    bank_account = models.CharField(max_length=40)
    document = models.CharField(max_length=80)
    posting = models.BigIntegerField(unique=True)
    proposal = models.UUIDField()
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.number

    @property
    def subject(self) -> str:
        """How audit rows and papers name it."""
        return f"payout:{self.number}"


class Succession(models.Model):
    """That a personal account ended by moving, closing or inheritance: on what papers, where the money went."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)
    amount = models.BigIntegerField()
    to = models.JSONField()
    document = models.CharField(max_length=80)
    reason = models.CharField(max_length=300)
    proposal = models.UUIDField(unique=True)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-pk",)


class Freeze(models.Model):
    """Why an account, or an amount on it, is frozen, by which document, and how it was released.

    `amount` None: the whole account. `pending`: the number of the ledger's pending posting that holds the amount.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="freezes")
    amount = models.BigIntegerField(null=True)
    pending = models.BigIntegerField(null=True, unique=True)
    reason = models.CharField(max_length=300)
    document = models.CharField(max_length=80)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    released_by = models.CharField(max_length=80, default="")
    released_at = models.DateTimeField(null=True)
    release_reason = models.CharField(max_length=300, default="")
    release_document = models.CharField(max_length=80, default="")

    class Meta:
        ordering = ("-pk",)
