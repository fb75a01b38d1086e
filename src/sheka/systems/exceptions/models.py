"""Exception cases (S10): an abnormal item with what both sides say about it, its life, and how it ended.

Findings tie every abnormal row to its case, once. Events and applications of rules are append-only (sql/guards.sql).
Amounts are fen.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sheka.office.organisations.models import Organisation


class Reason(models.TextChoices):
    """Why a case was opened."""

    ONLY_OURS = "only_ours"
    ONLY_THEIRS = "only_theirs"
    AMOUNT = "amount"
    DUPLICATE = "duplicate"
    UNBALANCED = "unbalanced"
    UNKNOWN = "unknown"
    REVERSAL_FIRST = "reversal_first"
    LATE_REVERSAL = "late_reversal"
    SETTLED_REVERSAL = "settled_reversal"
    DOUBLE_REVERSAL = "double_reversal"
    PARTIAL_REVERSAL = "partial_reversal"
    OTHER_AMOUNT = "other_amount"
    ANSWER_LOST = "answer_lost"
    TIME_OUT = "time_out"
    CLOCK_SKEW = "clock_skew"
    WRONG_MAC = "wrong_mac"
    REPLAY = "replay"
    HOLD_EXPIRED = "hold_expired"
    ADVICE_REFUSED = "advice_refused"
    DISPUTE = "dispute"
    OTHER = "other"


class Closing(models.TextChoices):
    """Why a case was closed without an entry of its own."""

    REVERSED = "reversed"
    DATE_SHIFT = "date_shift"
    DUPLICATE = "duplicate"
    NO_MONEY_MOVED = "no_money_moved"
    RELEASED = "released"
    OTHER_SIDE_CORRECTS = "other_side"
    NOT_UPHELD = "not_upheld"
    WITHDRAWN = "withdrawn"
    EXPLAINED = "explained"


class ExceptionCase(models.Model):
    """One abnormal item. `subject` is its business key: institution, terminal, business date, STAN and kind.

    `entry` is the posting that ended it (state resolved), `closing` why it was closed without one. `facts` are what is
    known beside both sides' accounts of it. `by_hand`: a person opened it again, so no rule touches it.
    """

    number = models.CharField(max_length=30, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    subject = models.CharField(max_length=80, db_index=True)
    institution = models.CharField(max_length=15, default="")
    terminal = models.CharField(max_length=12, default="")
    business_date = models.DateField(null=True)
    stan = models.IntegerField(null=True)
    amount = models.BigIntegerField()
    times = models.PositiveIntegerField(default=1)
    ours = models.JSONField(null=True)
    theirs = models.JSONField(null=True)
    facts = models.JSONField(default=dict)
    state = models.CharField(max_length=20, default="open")
    holder = models.CharField(max_length=80, default="")
    holder_id = models.BigIntegerField(null=True)
    due_on = models.DateField()
    due_provisional = models.BooleanField(default=False)
    answer_due_on = models.DateField(null=True)
    escalated_at = models.DateTimeField(null=True)
    judged_at = models.DateTimeField(null=True)
    by_hand = models.BooleanField(default=False)
    suggestion = models.JSONField(default=dict)
    proposal = models.UUIDField(null=True)
    entry = models.BigIntegerField(null=True)
    closing = models.CharField(max_length=20, default="", choices=Closing.choices)
    resolution = models.CharField(max_length=400, default="")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("due_on", "number")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "subject", "reason"),
                condition=~Q(state__in=("closed", "resolved")),
                name="exceptions_case_running_once",
            ),
            models.CheckConstraint(condition=~Q(state="resolved") | Q(entry__isnull=False), name="exceptions_entry"),
            models.CheckConstraint(condition=~Q(state="closed") | ~Q(resolution=""), name="exceptions_reason"),
        )
        indexes = (
            models.Index(
                fields=("organisation", "due_on"),
                condition=~Q(state__in=("closed", "resolved")),
                name="exceptions_running",
            ),
            models.Index(fields=("institution", "business_date", "stan"), name="exceptions_key"),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def key(self) -> str:
        """How other parts of the office name it: audit rows, work, documents."""
        return f"exception:{self.number}"

    @property
    def runs(self) -> bool:
        return self.state not in ("closed", "resolved")


class Finding(models.Model):
    """A row of another system that led to a case: an abnormal row of the switch, an expired hold. Each leads to one."""

    case = models.ForeignKey(ExceptionCase, on_delete=models.PROTECT, related_name="findings")
    source = models.CharField(max_length=10)
    number = models.BigIntegerField()
    at = models.DateTimeField()
    facts = models.JSONField()

    class Meta:
        ordering = ("at", "pk")
        constraints = (models.UniqueConstraint(fields=("source", "number"), name="exceptions_finding_once"),)


class CaseEvent(models.Model):
    """A line of the life of a case; rows are never changed. `told`: the other side reads it too."""

    case = models.ForeignKey(ExceptionCase, on_delete=models.PROTECT, related_name="events")
    verb = models.CharField(max_length=20)
    at = models.DateTimeField()
    name = models.CharField(max_length=80)
    staff_id = models.BigIntegerField(null=True)
    person = models.CharField(max_length=64, default="")
    state = models.CharField(max_length=20)
    text = models.CharField(max_length=1000, default="")
    facts = models.JSONField(default=dict)
    told = models.BooleanField(default=False)

    class Meta:
        ordering = ("at", "pk")


class RuleUse(models.Model):
    """An application of a rule: which version, on which facts, with which result. Rows are never changed."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(ExceptionCase, on_delete=models.PROTECT, related_name="rule_uses")
    rule = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField()
    effect = models.CharField(max_length=10)
    facts = models.JSONField()
    result = models.CharField(max_length=20)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=("organisation", "-at"), name="exceptions_rule_uses"),)


class RuleSwitch(models.Model):
    """A rule switched off or on in an organisation; the latest row counts. Rows are never changed."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    rule = models.CharField(max_length=40)
    on = models.BooleanField()
    reason = models.CharField(max_length=300)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at", "-pk")


class Side(models.TextChoices):
    """Who disputes a transaction."""

    CITIZEN = "citizen"
    INSTITUTION = "institution"


class Complaint(models.TextChoices):
    """What a dispute says is wrong."""

    NOT_MADE = "not_made"
    WRONG_AMOUNT = "wrong_amount"
    TWICE = "twice"
    NOT_RECEIVED = "not_received"
    NO_ANSWER = "no_answer"
    NOT_CREDITED = "not_credited"
    OTHER = "other"


class Dispute(models.Model):
    """What a citizen or an institution says against a transaction, and what was decided about it.

    `client_id` makes opening it idempotent. `transaction` is its number, null where there is none here. `outcome` is
    upheld, partly or not_upheld: provisional until another person agreed (`decided_at`).
    """

    case = models.OneToOneField(ExceptionCase, on_delete=models.PROTECT, related_name="dispute")
    client_id = models.UUIDField(unique=True)
    digest = models.CharField(max_length=64)
    side = models.CharField(max_length=12, choices=Side.choices)
    complaint = models.CharField(max_length=20, choices=Complaint.choices)
    text = models.CharField(max_length=1000)
    claimed = models.BigIntegerField()
    transaction = models.BigIntegerField(null=True)
    place = models.CharField(max_length=20)
    opener = models.CharField(max_length=80)
    opener_id = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=12, default="")
    granted = models.BigIntegerField(default=0)
    provisional_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=80, default="")


class Watermark(models.Model):
    """How far the rows of a source have been taken: the last one in the order of (`written`, `number`).

    Numbers are not given in the order of commits; transaction ids below the oldest running one are complete.
    `highest`: the greatest number seen, from which on the index is searched.
    """

    source = models.CharField(max_length=10, primary_key=True)
    written = models.BigIntegerField(default=0)
    number = models.BigIntegerField(default=0)
    highest = models.BigIntegerField(default=0)
