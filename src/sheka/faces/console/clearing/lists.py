"""The lists of clearing: days, what differs, who was owed what (S8)."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sheka.faces.console.clearing.words import result_cell, result_stamp, said, who_pays
from sheka.faces.console.exceptions.words import reason_word, state_stamp
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text
from sheka.faces.console.templatetags.look import mixed, named
from sheka.faces.console.words import WORDS
from sheka.office.staff.actors import Actor
from sheka.systems.clearing.models import Day
from sheka.systems.clearing.queries import days_of
from sheka.systems.clearing.queries_of_pages import DIFFERENCES, differences_of, differing_on, nets_in_reach
from sheka.systems.clearing.states import DAY
from sheka.systems.exceptions.labels import REASONS
from sheka.systems.exceptions.models import ExceptionCase


def page_of_day(day: Day) -> str:
    """The page of a sealed day."""
    return reverse("console:clearing_one", args=[day.organisation_id, int(f"{day.settlement_date:%Y%m%d}")])


def _by_result(rows: Any, value: str, actor: Actor) -> Any:
    if value == "waiting":
        return rows.filter(differences=None)
    return rows.filter(differences=0) if value == "flat" else rows.filter(differences__gt=0)


def _on_day(rows: Any, value: str, actor: Actor) -> Any:
    return differing_on(rows, value)


def side_amount(case: ExceptionCase, side: str) -> int | None:
    """What our books ("ours") or the file ("theirs") say, in fen; None: nothing."""
    found = (case.ours if side == "ours" else case.theirs) or {}
    amount = found.get("amount")
    return amount if isinstance(amount, int) else None


DAYS = Listing(
    name="clearing-days",
    title=_("Clearing days"),
    lede=_("Each day is sealed, reconciled against the acquirers' files, and netted."),
    rows=lambda actor: (
        days_of(actor).select_related("organisation").annotate(owed=F("purchases") - F("reversals") + F("adjustments"))
    ),
    default_sort="-day",
    columns=[
        Column(
            "day", _("Day"), lambda row: row.settlement_date, sort="settlement_date", kind="whole", link=page_of_day
        ),
        Column("organisation", _("Organisation"), lambda row: named(row.organisation), sort="organisation__path"),
        Column("state", _("State"), lambda row: Stamp(*WORDS[row.state]), sort="state"),
        Column("result", _("Reconciliation"), result_cell, sort="differences", export=result_stamp),
        Column("count", _("Transactions"), lambda row: row.count, sort="count", kind="amount"),
        Column("purchases", _("Taken"), lambda row: row.purchases, sort="purchases", kind="money"),
        Column("reversals", _("Given back"), lambda row: row.reversals, sort="reversals", kind="money"),
        Column("adjustments", _("Adjustments"), lambda row: row.adjustments, sort="adjustments", kind="money"),
        Column("net", _("Net amount"), lambda row: row.net, sort="owed", kind="money"),
    ],
    filters=[
        Select("state", _("State"), [(state, WORDS[state][0]) for state in DAY.states], "state"),
        Select(
            "result",
            _("Reconciliation"),
            [(result, WORDS[result][0]) for result in ("flat", "different", "waiting")],
            narrow=_by_result,
        ),
        Days("day", _("Day"), "settlement_date"),
    ],
    empty_title=_("No clearing days"),
    empty_text=_("A day appears here when it is sealed."),
)

DIFFERING = Listing(
    name="clearing-differences",
    title=_("Differences of clearing days"),
    lede=_("What our books and the acquirers' files say differently; each is a case of the exceptions desk."),
    rows=differences_of,
    default_sort="-number",
    columns=[
        Column(
            "number",
            pgettext_lazy("clearing", "Case"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=lambda row: reverse("console:exceptions_one", args=[row.number]),
        ),
        Column("reason", pgettext_lazy("clearing", "What differs"), reason_word, sort="reason"),
        Column("ours", _("Ours"), lambda row: side_amount(row, "ours"), kind="money"),
        Column("theirs", _("Theirs"), lambda row: side_amount(row, "theirs"), kind="money"),
        Column("amount", _("At stake"), lambda row: row.amount, sort="amount", kind="money"),
        Column("state", _("State"), state_stamp, sort="state"),
        Column("institution", _("Institution"), lambda row: row.institution, sort="institution", kind="number"),
        Column("terminal", _("Terminal"), lambda row: row.terminal, sort="terminal", kind="number"),
        Column("business_date", _("Business date"), lambda row: row.business_date, sort="business_date", kind="whole"),
        Column("stan", _("Trace number"), lambda row: f"{row.stan:06d}" if row.stan else None, kind="number"),
    ],
    filters=[
        Text("day", _("Clearing day, YYYY-MM-DD"), narrow=_on_day),
        Select(
            "reason",
            pgettext_lazy("clearing", "What differs"),
            lambda actor: [(str(one), said(REASONS[one])) for one in DIFFERENCES],
            "reason",
        ),
        Text("institution", _("Institution"), ("institution",), "startswith"),
        Text("organisation", pgettext_lazy("clearing", "Code of the city"), ("organisation_id",), "exact"),
    ],
    empty_title=_("No differences"),
    empty_text=_("What reconciliation finds to differ appears here."),
)

NETS = Listing(
    name="clearing-nets",
    title=_("Net positions"),
    lede=_("What each institution is owed for each netted day, or owes."),
    rows=nets_in_reach,
    default_sort="-day",
    columns=[
        Column(
            "day",
            _("Day"),
            lambda row: row.day.settlement_date,
            sort=("day__settlement_date", "institution__code"),
            kind="whole",
            link=lambda row: page_of_day(row.day),
        ),
        Column(
            "code", _("Institution code"), lambda row: row.institution.code, sort="institution__code", kind="number"
        ),
        Column("institution", _("Institution"), lambda row: mixed(row.institution.name)),
        Column("organisation", pgettext_lazy("clearing", "City"), lambda row: named(row.day.organisation)),
        Column("purchases", _("Taken"), lambda row: row.purchases, kind="money"),
        Column("reversals", _("Given back"), lambda row: row.reversals, kind="money"),
        Column("adjustments", _("Adjustments"), lambda row: row.adjustments, kind="money"),
        Column("net", _("Net amount"), lambda row: row.amount, sort="amount", kind="money"),
        Column("way", _("Who pays whom"), lambda row: who_pays(row.amount)),
    ],
    filters=[
        Text("institution", _("Institution code"), ("institution__code",), "startswith"),
        Days("day", _("Day"), "day__settlement_date"),
    ],
    empty_title=_("No net positions"),
    empty_text=_("They appear here when a day is netted."),
)
