"""Sub-keys on their way to the level below, on a transmission key card (K2, K5)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sheka.office.organisations.models import Organisation
from sheka.systems.keys.states import ON_THE_WAY


class Consignment(models.Model):
    """The sub-keys of one algorithm and version for one recipient; sender and recipient each keep a row of the number.

    `content` lists the sub-keys in the order of the card: name, usage, owner_level, factor, parent_check_value,
    check_value, and the SM3 of the envelope; never a key and never an envelope. `way` is "carrier", or "network" for
    what was sent before carriers were used. `retired_on`: the recipient uses none of them any more.
    """

    number = models.UUIDField()
    held_by = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    sender = models.CharField(max_length=20)
    recipient = models.CharField(max_length=20)
    algorithm = models.PositiveSmallIntegerField()
    version = models.PositiveSmallIntegerField()
    carrier = models.CharField(max_length=40, default="")
    way = models.CharField(max_length=10, default="carrier", choices=(("carrier", "carrier"), ("network", "network")))
    content = models.JSONField(default=list)
    state = models.CharField(max_length=20)
    remark = models.CharField(max_length=200, default="")
    loaded_at = models.DateTimeField()
    since = models.DateTimeField()
    retired_on = models.DateField(null=True)

    class Meta:
        ordering = ("-loaded_at", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("number", "held_by"), name="keys_consignment_once"),
            models.UniqueConstraint(
                fields=("held_by", "carrier"),
                condition=Q(state__in=ON_THE_WAY) & ~Q(carrier=""),
                name="keys_consignment_one_a_carrier",
            ),
        )

    @property
    def subject(self) -> str:
        """How audit rows and work name the consignment."""
        return f"consignment:{self.number}"
