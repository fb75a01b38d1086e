"""The registry of institutions and terminals, and the transactions that the switch writes (S4)."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation
from sheka.systems.transactions.archive_models import Archive, ArchivedStretch  # noqa: F401 - found by Django here


class InstitutionKind(models.TextChoices):
    """What a designated institution is; the first letter of its code says so for the first two."""

    HOSPITAL = "hospital"
    PHARMACY = "pharmacy"
    BANK = "bank"
    CARD_CENTRE = "card_centre"
    OTHER = "other"


class Channel(models.TextChoices):
    """How a terminal speaks: a line of ISO 8583 messages, or the REST face, which speaks for it."""

    ISO8583 = "iso8583"
    REST = "rest"


class LineProfile(models.TextChoices):
    """Which algorithm protects the messages of an institution: MAC, PIN block, keys given out over the line."""

    SM4 = "sm4"
    TDES = "3des"


class KeysFor(models.TextChoices):
    """Whom a working key that is asked for over the line serves."""

    TERMINAL = "terminal"
    INSTITUTION = "institution"


class Institution(models.Model):
    """A designated institution that takes the card.

    `mac_key` is a reference into the encryption machine of its organisation. `protocol` is the version of the interface
    with which it passed its tests. `test_of`: this row is the test side of that institution, with a key, an account and
    terminals of its own: they speak for test cards only, and no clearing day counts them. `registered_by`,
    `accepted_by`: the persons behind the accounts, because who did this may not activate. `transport_key`: reference of
    the key under which working keys go out to it, empty: it gets none (docs/systems/transactions.md, the line).
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
    kind = models.CharField(max_length=20, choices=InstitutionKind.choices, db_default="other")
    contract = models.CharField(max_length=60, db_default="")
    contract_from = models.DateField(null=True)
    contract_to = models.DateField(null=True)
    region = models.CharField(max_length=6, db_default="")
    address = models.CharField(max_length=200, db_default="")
    contact = models.CharField(max_length=60, db_default="")
    phone = models.CharField(max_length=30, db_default="")
    protocol = models.CharField(max_length=12, db_default="")
    software = models.CharField(max_length=60, db_default="")
    mac_version = models.SmallIntegerField(db_default=1)
    mac_since = models.DateTimeField(null=True)
    test_of = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="test_side")
    registered_by = models.CharField(max_length=60, db_default="")
    accepted_by = models.CharField(max_length=60, db_default="")
    profile = models.CharField(max_length=10, choices=LineProfile.choices, db_default="sm4")
    keys_for = models.CharField(max_length=12, choices=KeysFor.choices, db_default="terminal")
    transport_key = models.CharField(max_length=64, db_default="")
    transport_check_value = models.CharField(max_length=8, db_default="")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Terminal(models.Model):
    """A terminal by its 12-digit number (LD/T 33): six of the issuing region, six of the PSAM's issuer.

    `latitude` and `longitude` in degrees (WGS 84), to about a hundred metres: where it stands, for the map.
    """

    id = models.AutoField(primary_key=True)
    number = models.CharField(max_length=12, unique=True)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="terminals")
    state = models.CharField(max_length=20, default="registered")
    registered_at = models.DateTimeField()
    channel = models.CharField(max_length=10, choices=Channel.choices, db_default="iso8583")
    model = models.CharField(max_length=60, db_default="")
    serial = models.CharField(max_length=40, db_default="")
    software = models.CharField(max_length=60, db_default="")
    place = models.CharField(max_length=200, db_default="")
    region = models.CharField(max_length=6, db_default="")
    latitude = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    longitude = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    registered_by = models.CharField(max_length=60, db_default="")

    def __str__(self) -> str:
        return self.number


class TerminalPsam(models.Model):
    """The PSAM in a terminal: one terminal at a time, and in service only when it is `active` there (K8)."""

    terminal = models.OneToOneField(Terminal, on_delete=models.PROTECT, related_name="module")
    psam = models.CharField(max_length=20, unique=True)
    active = models.BooleanField(default=False)
    since = models.DateTimeField()


class PsamUse(models.Model):
    """What the switch saw of a PSAM in one terminal on one business day (K8); written by switch_psam_seen.

    Counters are terminal transaction sequences (4 bytes, LD/T 33), -1 when the messages gave none.
    """

    id = models.BigAutoField(primary_key=True)
    psam = models.CharField(max_length=20)
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    uses = models.IntegerField()
    first_counter = models.BigIntegerField()
    last_counter = models.BigIntegerField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("psam", "day", "terminal"), name="transactions_psamuse_once"),)


class PsamAlarm(models.Model):
    """A PSAM whose counter did not go on, or that spoke from a terminal that is not its own (K8).

    `expected` and `got` are counters, or terminals' numbers (empty: no PSAM was bound there).
    """

    id = models.BigAutoField(primary_key=True)
    psam = models.CharField(max_length=20)
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=(("counter", "counter"), ("terminal", "terminal")))
    expected = models.CharField(max_length=20)
    got = models.CharField(max_length=20)
    day = models.DateField()
    times = models.IntegerField()
    seen_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("psam", "day", "terminal", "kind"), name="transactions_psamalarm_once"),
        )


class BlockKind(models.TextChoices):
    """What can be barred at the switch."""

    PSAM = "psam"
    TERMINAL = "terminal"
    CARD = "card"
    CARD_RANGE = "card_range"
    KEY_VERSION = "key_version"


class Block(models.Model):
    """An entry of the block list: in force until `lifted_at`. It holds for every terminal of the node.

    `subject`: serial of a PSAM, number of a terminal or card, "first-last" card numbers of a range, "name/version" of
    a key. `source`: the superior whose block this is a copy of, else empty.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=BlockKind.choices)
    subject = models.CharField(max_length=40)
    since = models.DateTimeField()
    by = models.CharField(max_length=80)
    person_id = models.CharField(max_length=60, default="")
    reason = models.CharField(max_length=300)
    incident = models.CharField(max_length=40, default="")
    source = models.CharField(max_length=20, default="")
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=80, default="")
    lift_reason = models.CharField(max_length=300, default="")

    class Meta:
        ordering = ("-since", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "kind", "subject", "incident", "source"),
                condition=models.Q(lifted_at=None),
                name="transactions_block_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind}:{self.subject}"


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
    PRE_AUTHORISATION = 3
    COMPLETION = 4
    VOID = 5
    REFUND = 6


class Transaction(models.Model):
    """One request of a terminal and its answer, as sql/tables.sql and sql/kinds.sql lay it down. `refusal` 0: approved.

    `original`: number of the row that this one takes back, completes or refunds, of `original_date` (None: its own
    date). `balance_after`: what was available after it. `moved`: see `effect`. `advice`: told afterwards (0220).
    """

    id = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    card_id = models.BigIntegerField(null=True)
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField(null=True)
    window = models.ForeignKey(Window, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    seal = models.BigIntegerField()
    original = models.BigIntegerField(null=True)
    original_date = models.DateField(null=True)
    moved = models.BigIntegerField(null=True)
    advice = models.BooleanField(default=False)
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
        if self.moved is not None:
            return self.moved
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


from sheka.systems.transactions import (  # noqa: E402 - its tables
    acquiring_models,  # noqa: F401
    batch_models,  # noqa: F401
    line_models,  # noqa: F401
    verb_models,  # noqa: F401
    watch_models,  # noqa: F401
)
