"""Where else a transaction's things are shown, as far as the reader may go there."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.models import Transaction


@dataclass(frozen=True, slots=True)
class Link:
    title: str | Promise
    address: str


def links_of(actor: Actor, found: Transaction) -> list[Link]:
    """Card, account, terminal and institution of a transaction."""
    return (
        [Link(_("The card"), reverse("console:card", args=[found.card_number]))]
        if (actor.may(Permission.CARD_VIEW) and found.card_id)
        else []
    )
