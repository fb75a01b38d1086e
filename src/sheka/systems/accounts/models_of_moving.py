"""Accounts that move to another city, and money that comes to an account after its end (S6). Money is fen."""

from __future__ import annotations

from django.db import models

from sheka.office.organisations.models import Organisation


class Moving(models.Model):
    """The balance of an account on its way between two cities, a row on each side under the same `reference`.

    `side` "out" stands in the books that it left, "in" in those that took it. `account` is the one of this side,
    `other_account` the number of the other's as far as it is known. `amount` 0: only the account moves.
    """

    OUT, IN = "out", "in"

    reference = models.UUIDField()
    side = models.CharField(max_length=3, choices=((OUT, OUT), (IN, IN)))
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    other = models.CharField(max_length=20)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="movings")
    other_account = models.CharField(max_length=29, default="")
    amount = models.BigIntegerField()
    document = models.CharField(max_length=80)
    proposal = models.UUIDField(null=True)
    state = models.CharField(max_length=20)
    made_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-pk",)
        constraints = (models.UniqueConstraint(fields=("reference", "side"), name="accounts_moving_once"),)


class LateMoney(models.Model):
    """Money that a reversal or an expiry left on an account that was closed, now on the suspense account of its books.

    It waits until it is paid by the decision of a second person, or is passed on to the account that the holder has
    since. `posting` brought it to the suspense account; `cause` is the last entry of the closed account before that.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="late_money")
    amount = models.BigIntegerField()
    posting = models.BigIntegerField(unique=True)
    cause = models.BigIntegerField()
    state = models.CharField(max_length=20, default="waiting")
    proposal = models.UUIDField(null=True)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-pk",)
