"""Clearing days: the lists, the page of one day, and its verbs (S8)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.clearing.lists import DAYS, DIFFERING, NETS, side_amount
from sheka.faces.console.clearing.page import (
    is_late,
    moments_of,
    next_of,
    next_verb,
    number_of,
    offers_of,
)
from sheka.faces.console.clearing.shown import DayShown, day_shown
from sheka.faces.console.clearing.verbs import VERBS
from sheka.faces.console.clearing.words import (
    FILE_STATES,
    STATES,
    kind_letter,
    kind_word,
    result_stamp,
    said,
    who_pays,
)
from sheka.faces.console.doors import opens
from sheka.faces.console.exceptions.words import reason_word, state_stamp
from sheka.faces.console.lists import show_list
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Refused
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.labels import ACCOUNT_KINDS
from sheka.systems.accounts.labels import KINDS as TRANSFERS
from sheka.systems.clearing.queries_of_pages import (
    Side,
    differences_of,
    differing_on,
    other_side_of,
    windows_to_seal,
)
from sheka.systems.exceptions.models import ExceptionCase

INSTITUTIONS, SHOWN = 50, 50
"""Institutions a page; differences, adjustments and positions on it: the lists have all of them."""
AT_ONCE = 100_000
"""Transactions of a day whose other side is summed up without being asked for."""


@opens(Permission.CLEARING_VIEW)
@require_safe
def days(request: HttpRequest) -> HttpResponse:
    """The days of the reader's organisation and those below it, the latest first; above them what is not sealed."""
    waiting = windows_to_seal(request.actor.organisation) if request.actor.may(Permission.CLEARING_SEAL) else []
    context = {
        "waiting": [(row.settlement_date, number_of(row.settlement_date), is_late(row.settlement_date))
                    for row in waiting],
        "place": request.actor.organisation,
        "may_cases": request.actor.may(Permission.EXCEPTION_VIEW),
    }  # fmt: skip
    return show_list(request, DAYS, "console/clearing/days.html", **context)


@opens(Permission.EXCEPTION_VIEW)
@require_safe
def differences(request: HttpRequest) -> HttpResponse:
    """What reconciliation found, of one day or of all."""
    return show_list(request, DIFFERING, "console/clearing/list.html")


@opens(Permission.CLEARING_VIEW)
@require_safe
def nets(request: HttpRequest) -> HttpResponse:
    """Who was owed what, day by day."""
    return show_list(request, NETS, "console/clearing/list.html")


@opens(Permission.CLEARING_VIEW)
@require_safe
def one(request: HttpRequest, place: str, day: int) -> HttpResponse:
    """One day: its life, files, differences, figures as they were sealed, positions, and what can be done."""
    actor = request.actor
    shown = day_shown(actor, place, day)
    page = Paginator(shown.sides, INSTITUTIONS).get_page(request.GET.get("page"))
    offers, barred = offers_of(actor, shown)
    cases = _cases(request, shown)
    context = _standing(shown) | {
        "offers": offers,
        "barred": barred,
        "next": next_of(actor, shown),
        "moments": moments_of(shown),
        "page": page,
        "sides": [_side(shown, side) for side in page.object_list],
        "adds_up": shown.adds_up,
        "in_archive": not shown.adds_up and shown.in_archive,
        "cases": [_difference(case) for case in cases[:SHOWN]] if cases is not None else None,
        "cases_more": sum(shown.all.values()) - SHOWN,
        "adjustments": _adjustments(shown),
        "may_cases": actor.may(Permission.EXCEPTION_VIEW),
        "may_institutions": actor.may(Permission.ACQUIRING_VIEW),
        **_positions(request, shown),
    }
    return render(request, "console/clearing/day.html", context)


@opens(Permission.CLEARING_SEAL, Permission.CLEARING_IMPORT, Permission.CLEARING_NET)
@require_http_methods(["GET", "HEAD", "POST"])
def verb(request: HttpRequest, place: str, day: int, verb: str) -> HttpResponse:
    """Say what will happen, ask for what is needed, then do it."""
    if verb not in VERBS:
        raise Http404
    what = VERBS[verb]
    request.actor.require(what.needs)
    shown = day_shown(request.actor, place, day)
    given = (request.POST, request.FILES) if request.method == "POST" else ()
    form, problem, status = what.form(*given), None, 200
    if request.method == "POST" and form.is_valid():
        try:
            text, tone = what.act(request.actor, shown, form)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.add_message(request, messages.INFO, text, extra_tags=tone)
            return redirect("console:clearing_one", place=place, day=day)
    context = _standing(shown) | {
        "verb": verb,
        "what": what,
        "form": form,
        "problem": problem,
        "lacking": [(side.code, side.name) for side in shown.lacking[:SHOWN]],
        "early": verb == "seal" and next_verb(shown) != "seal",
        **(_positions(request, shown) if verb == "net" else {}),
    }
    return render(request, "console/clearing/verb.html", context, status=422 if form.errors else status)


def _standing(shown: DayShown) -> dict[str, Any]:
    """What the page of a day and the pages of its verbs both show."""
    number = number_of(shown.settled)
    word, tone = STATES[shown.state]
    sealed, figures = shown.day, shown.figures
    return {
        "shown": shown,
        "place": shown.place,
        "settled": shown.settled,
        "number": number,
        "address": reverse("console:clearing_one", args=[shown.place.code, number]),
        "stamp": (word, tone),
        "result": result_stamp(sealed) if sealed is not None and sealed.differences is not None else None,
        "figures": figures,
        "owed": figures["purchases"] - figures["reversals"] + figures["adjustments"],
    }


def _side(shown: DayShown, side: Side) -> dict[str, Any]:
    return {
        "side": side,
        "stamp": FILE_STATES[shown.file_state(side)],
        "running": shown.running[side.code],
        "ended": shown.all[side.code] - shown.running[side.code],
        "kinds": [(kind_word(one.kind), kind_letter(one.kind), one) for one in side.kinds],
    }


def _cases(request: HttpRequest, shown: DayShown) -> QuerySet[ExceptionCase] | None:
    """What the day found, the ones that still run first; None for who may not see cases."""
    if shown.day is None or not request.actor.may(Permission.EXCEPTION_VIEW):
        return None
    rows = differing_on(differences_of(request.actor), shown.settled.isoformat())
    return rows.filter(organisation_id=shown.place.code).order_by("closed_at", "number")


def _difference(case: ExceptionCase) -> dict[str, Any]:
    return {
        "case": case,
        "reason": reason_word(case),
        "ours": side_amount(case, "ours"),
        "theirs": side_amount(case, "theirs"),
        "stamp": state_stamp(case),
    }


def _adjustments(shown: DayShown) -> list[tuple[Any, str, str]]:
    """The transfers of the day with the words of their kinds, and the case that booked them when it is one."""
    found = [(line, said(TRANSFERS[line.kind])) for side in shown.sides for line in side.adjustments]
    found.sort(key=lambda pair: pair[0].posting)
    return [(line, word, line.reference if line.reference.startswith("EX") else "") for line, word in found[:SHOWN]]


def _positions(request: HttpRequest, shown: DayShown) -> dict[str, Any]:
    """Who pays whom: the institutions, then the other side as the ledger has it, which makes the sum zero. Of a large
    day the ledger is asked on demand (`?proof=1`).
    """
    positions = shown.positions
    rest = positions[SHOWN:]
    asked = shown.figures["count"] <= AT_ONCE or "proof" in request.GET
    other = other_side_of(shown.window, shown.place.code) if positions and shown.adds_up and asked else []
    return {
        "positions": [(one, who_pays(one.amount), abs(one.amount)) for one in positions[:SHOWN]],
        "others": (len(rest), sum(one.amount for one in rest)) if rest else None,
        "other_side": [(said(ACCOUNT_KINDS[kind]), amount) for kind, amount in other],
        "sum": sum(one.amount for one in positions) + sum(amount for _kind, amount in other),
        "asked": asked,
        "fixed": shown.state == "netted",
    }
