"""Clearing days with their totals and whether they are flat (S8)."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, show_list
from sheka.faces.console.templatetags.look import count, named, seal
from sheka.faces.console.words import WORDS
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.clearing.models import Day
from sheka.systems.clearing.queries import days_of
from sheka.systems.clearing.states import DAY


def _result(row: Day) -> object:
    word, tone = WORDS[row.result]
    stamp = seal(str(word), tone)
    return SafeString(f"{stamp} {count(row.differences)}") if row.differences else stamp


def _by_result(rows: Any, value: str, actor: Actor) -> Any:
    if value == "waiting":
        return rows.filter(differences=None)
    return rows.filter(differences=0) if value == "flat" else rows.filter(differences__gt=0)


DAYS = Listing(
    name="clearing-days",
    title=_("Clearing days"),
    lede=_("Each day is sealed, reconciled against the acquirer's file, and netted."),
    rows=lambda actor: (
        days_of(actor).select_related("organisation").annotate(owed=F("purchases") - F("reversals") + F("adjustments"))
    ),
    default_sort="-day",
    columns=[
        Column("day", _("Day"), lambda row: row.settlement_date, sort="settlement_date", kind="whole"),
        Column("organisation", _("Organisation"), lambda row: named(row.organisation), sort="organisation__path"),
        Column("state", _("State"), lambda row: Stamp(*WORDS[row.state]), sort="state"),
        Column(
            "result", _("Reconciliation"), _result, sort="differences", export=lambda row: Stamp(*WORDS[row.result])
        ),
        Column("count", _("Transactions"), lambda row: row.count, sort="count", kind="amount"),
        Column("purchases", _("Purchases"), lambda row: row.purchases, sort="purchases", kind="money"),
        Column("reversals", _("Reversals"), lambda row: row.reversals, sort="reversals", kind="money"),
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


@opens(Permission.CLEARING_VIEW)
@require_safe
def days(request: HttpRequest) -> HttpResponse:
    """The days of the reader's organisation and those below it, the latest first."""
    return show_list(request, DAYS)
