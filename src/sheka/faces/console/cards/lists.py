"""The lists of cards and of exchanges."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text
from sheka.faces.console.templatetags.look import day, masked, named, seal
from sheka.faces.console.words import CARD_TONES, EXCHANGE_TONES
from sheka.foundation.numbers import mask_person_number
from sheka.office.staff.actors import Actor
from sheka.systems.cards.labels import EXCHANGE_STATES, STATES
from sheka.systems.cards.models import Card, ExchangeCase
from sheka.systems.cards.queries import cards_served, exchanges_served
from sheka.systems.cards.states import OPEN_EXCHANGE


def card_address(card: Card) -> str | None:
    """The page of a card; one that has no number yet has none."""
    return reverse("console:card", args=[card]) if card.number else None


def _exchange_state(case: ExchangeCase) -> Stamp:
    return Stamp(EXCHANGE_STATES[case.state], EXCHANGE_TONES.get(case.state, "wait"))


def is_late(case: ExchangeCase) -> bool:
    """Whether a new card should lie ready by now and does not."""
    return case.state in OPEN_EXCHANGE and case.state != "ready" and case.due_on < timezone.localdate()


def _due(case: ExchangeCase) -> object:
    if not is_late(case):
        return case.due_on
    late = seal(gettext("overdue"), "stop")
    return SafeString(f"{day(case.due_on)} {late}")


def _late(rows: Any, value: str, actor: Actor) -> Any:
    making = rows.filter(state__in=OPEN_EXCHANGE).exclude(state="ready")
    return making.filter(due_on__lt=timezone.localdate())


CARDS = Listing(
    name="cards",
    title=_("Cards"),
    caption=_("Person numbers are masked; opening a card is recorded."),
    rows=cards_served,
    default_sort="-issued",
    columns=[
        Column("number", _("Card number"), str, sort="number", kind="number", link=card_address),
        Column("holder", _("Holder"), lambda row: row.person.name, sort="person__name", kind="whole"),
        Column(
            "state", _("State"), lambda row: Stamp(STATES[row.state], CARD_TONES.get(row.state, "still")), sort="state"
        ),
        Column(
            "person",
            _("Social security number"),
            lambda row: masked(mask_person_number(row.person.social_security_number)),
            kind="number",
        ),
        Column("outlet", _("Outlet"), lambda row: named(row.outlet), sort="outlet__path"),
        Column("issued", _("Issued on"), lambda row: row.issued_on, sort="issued_on", kind="whole"),
        Column("until", _("Valid until"), lambda row: row.expires_on, sort="expires_on", kind="whole"),
    ],
    filters=[
        Select("state", _("State"), STATES.items(), "state", all=_("All states")),
        Days("until", _("Valid until"), "expires_on"),
    ],
    empty_title=_("No cards yet"),
    empty_text=_("Cards appear here when they are ordered."),
    personal=True,
)

EXCHANGES = Listing(
    name="exchanges",
    title=_("Exchanges"),
    lede=_("Damaged cards and changed data: ready on the seventh working day, collected where applied for (R1–R8)."),
    rows=exchanges_served,
    default_sort="-applied",
    columns=[
        Column(
            "number",
            _("Confirmation"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=lambda row: reverse("console:exchange", args=[row.number]),
        ),
        Column("holder", _("Holder"), lambda row: row.person.name, sort="person__name", kind="whole"),
        Column(
            "old",
            _("Old card"),
            lambda row: str(row.old_card),
            kind="number",
            link=lambda row: card_address(row.old_card),
        ),
        Column("state", _("State"), _exchange_state, sort="state"),
        Column("outlet", _("Outlet"), lambda row: named(row.outlet), sort="outlet__path"),
        Column("applied", _("Applied for on"), lambda row: row.applied_on, sort="applied_at", kind="whole"),
        Column("due", _("Ready on"), _due, sort="due_on", kind="whole", export=lambda row: row.due_on),
        Column("fee", _("Fee"), lambda row: row.fee_fen, sort="fee_fen", kind="money"),
    ],
    filters=[
        Select("state", _("State"), EXCHANGE_STATES.items(), "state", all=_("All states")),
        Select("late", _("Overdue"), (("yes", _("Only overdue")),), narrow=_late),
        Text("number", _("Confirmation"), ("number",), "startswith"),
        Days("due", _("Ready on"), "due_on"),
    ],
    empty_title=_("No exchanges"),
    empty_text=_("An exchange appears here when it is applied for at an outlet."),
    personal=True,
)
