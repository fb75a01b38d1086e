"""Where else a transaction's things are shown, as far as the reader may go there."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext

from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.queries import cards_served
from sheka.systems.exceptions.queries import cases_of
from sheka.systems.transactions.models import Transaction


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    address: str


def links_of(actor: Actor, found: Transaction) -> list[Link]:
    """Exception cases, account, card, terminal and institution of a transaction."""
    links = []
    if actor.may(Permission.EXCEPTION_VIEW):
        cases = cases_of(actor).filter(
            terminal=found.terminal.number, business_date=found.business_date, stan=found.stan
        )
        links += [
            Link(
                gettext("Case %(number)s") % {"number": case.number},
                reverse("console:exceptions_one", args=[case.number]),
            )
            for case in cases.order_by("-opened_at")[:3]
        ]
    if found.account is not None and actor.may(Permission.ACCOUNT_VIEW):
        links.append(Link(gettext("The account"), reverse("console:accounts_one", args=[found.account.number])))
    if actor.may(Permission.CARD_VIEW) and cards_served(actor).filter(number=found.card_number).exists():
        links.append(Link(gettext("The card"), reverse("console:card", args=[found.card_number])))
    if actor.may(Permission.ACQUIRING_VIEW):
        links.append(Link(gettext("The terminal"), reverse("console:acquiring_terminal", args=[found.terminal.number])))
        code = found.institution.code
        links.append(Link(gettext("The institution"), reverse("console:acquiring_institution", args=[code])))
    return links
