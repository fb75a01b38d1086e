"""What protects the line (S4): roots of its keys in the machine, keys given out, PIN values, counts of faults."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation
from sheka.systems.transactions.models import Institution, Terminal


class LinePurpose(models.TextChoices):
    """What a root or a key of the line is for."""

    MAC = "mac"
    PIN = "pin"
    PIN_VALUE = "pin_value"


class LineRoot(models.Model):
    """A root in the machine of an organisation, by purpose and algorithm: each key of a line is its child by a factor
    of its own, so that the machine keeps none of them and a change of keys leaves nothing behind there (ADR 28).
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=10, choices=LinePurpose.choices)
    algorithm = models.PositiveSmallIntegerField()
    reference = models.CharField(max_length=64)
    check_value = models.CharField(max_length=8)
    made_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "purpose", "algorithm"), name="transactions_lineroot_once"),
        )


class WorkingKey(models.Model):
    """A key that was given out over the line: the newest of its purpose is in force, the one before for a short time
    more. `terminal` None: for every terminal of the institution. `factor`: 8 bytes as hex, no secret without the root.
    `asked`: fields 7 and 11 of the request, so that a recorded one is not served twice. Append-only.
    """

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    terminal = models.ForeignKey(Terminal, null=True, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=10, choices=LinePurpose.choices)
    factor = models.CharField(max_length=16)
    check_value = models.CharField(max_length=8)
    asked = models.CharField(max_length=40)
    since = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("institution", "asked", "purpose"), name="transactions_workingkey_asked_once"
            ),
        )


class PinZone(models.Model):
    """A key that two machines of this node share, so that a PIN typed at a terminal of `acquirer` is verified in the
    machine of `issuer`, whose card it is (ADR 33). The key is the issuer's, SM4; each block goes under a child of it.
    """

    acquirer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    issuer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    acquirer_reference = models.CharField(max_length=64)
    issuer_reference = models.CharField(max_length=64)
    check_value = models.CharField(max_length=8)
    made_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("acquirer", "issuer"), name="transactions_pinzone_once"),)


class CardPin(models.Model):
    """What is kept of a card's PIN for checks over the line: a value under the card's key in the machine, and how often
    a wrong one came since the last right one. `value`: 4 bytes as hex.
    """

    card_number = models.CharField(max_length=9, primary_key=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    root = models.ForeignKey(LineRoot, on_delete=models.PROTECT, related_name="+")
    value = models.CharField(max_length=8)
    tries = models.PositiveSmallIntegerField(db_default=0)
    blocked_at = models.DateTimeField(null=True)
    set_at = models.DateTimeField()
    by = models.CharField(max_length=80)


class TerminalFault(models.Model):
    """How often a terminal's messages were wrong since `since`, by kind; `locked_at`: it was locked for that."""

    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=(("mac", "mac"), ("proof", "proof"), ("clock", "clock")))
    times = models.IntegerField()
    since = models.DateTimeField()
    last_at = models.DateTimeField()
    locked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("terminal", "kind"), name="transactions_terminalfault_once"),)


class LineEvent(models.Model):
    """What the switch did by itself to keys and terminals; a turn of the worker carries it into the audit chain."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=30)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=60)
    facts = models.JSONField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("id",), condition=models.Q(told_at=None), name="transactions_lineevent_new"),)
