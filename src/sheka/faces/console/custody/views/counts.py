"""Count sheets: begun by a custodian, filled in by two people who see nothing but their own sheet (K6)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.custody.asking import Crumb, Question, ask, sent
from sheka.faces.console.custody.forms import CountForm, ReasonForm, StoreForm
from sheka.faces.console.custody.lists import COUNTS
from sheka.faces.console.custody.words import COUNT_TONES, stamp
from sheka.faces.console.doors import opens
from sheka.faces.console.lists import show_list
from sheka.office.staff.permissions import Permission
from sheka.systems.custody import queries
from sheka.systems.custody.actions.count_stock import count_stock, give_up_count, open_count
from sheka.systems.custody.labels import COUNT_STATES
from sheka.systems.custody.models import StockCount
from sheka.systems.custody.states import COUNTING


@opens(Permission.CARRIER_VIEW)
@require_safe
def counts(request: HttpRequest) -> HttpResponse:
    """The counts of the reader's organisation."""
    return show_list(
        request, COUNTS, "console/custody/counts.html", may_begin=request.actor.may(Permission.CARRIER_KEEP)
    )


@opens(Permission.CARRIER_KEEP)
@require_http_methods(["GET", "HEAD", "POST"])
def count_new(request: HttpRequest) -> HttpResponse:
    """Which place; from then on nothing moves there."""
    actor = request.actor
    question = Question(
        title=_("Begin a stock count"),
        button=_("Begin the count"),
        done=_("The count waits for its first counter"),
        crumbs=(_above(),),
        lede=_("A place is counted with everything in it. Nothing moves there until the count has ended."),
    )
    form = StoreForm(sent(request), actor=actor)
    return ask(request, question, form, lambda given: open_count(actor, place_id=int(given["place"])), _address)


@opens(Permission.CARRIER_VIEW)
@require_safe
def count(request: HttpRequest, number: str) -> HttpResponse:
    """One count: who has counted; when it has ended, what was found."""
    actor, row = request.actor, queries.count_sheet(request.actor, number)
    running = row.state in COUNTING
    sheets = list(row.sheets.all())
    context = {
        "row": row,
        "stamp": stamp(row.state, COUNT_STATES, COUNT_TONES),
        "running": running,
        "sheets": [(sheet.name, sheet.at, None if running else len(sheet.serials)) for sheet in sheets],
        "may_count": running
        and actor.may(Permission.CARRIER_COUNT)
        and actor.staff_id not in {s.staff_id for s in sheets},
        "may_give_up": running and actor.may(Permission.CARRIER_KEEP),
        "crumb": _above(),
    }
    return render(request, "console/custody/count.html", context)


@opens(Permission.CARRIER_COUNT)
@require_http_methods(["GET", "HEAD", "POST"])
def count_fill(request: HttpRequest, number: str) -> HttpResponse:
    """The sheet of one counter."""
    actor, row = request.actor, queries.count_sheet(request.actor, number)
    question = Question(
        title=_("Count sheet"),
        button=_("This is what lies there"),
        done=_("Your sheet was taken"),
        crumbs=(_above(), Crumb(number, _address(row))),
        lede=_("%(place)s: write down every serial that lies there, and none that does not.") % {"place": row.place},
    )
    form = CountForm(sent(request), actor=actor)
    return ask(
        request,
        question,
        form,
        lambda given: count_stock(actor, number=number, serials=given["serials"]),
        _address,
    )


@opens(Permission.CARRIER_KEEP)
@require_http_methods(["GET", "HEAD", "POST"])
def count_give_up(request: HttpRequest, number: str) -> HttpResponse:
    """It cannot be finished."""
    actor, row = request.actor, queries.count_sheet(request.actor, number)
    question = Question(
        title=_("Give the count up"),
        button=pgettext("custody", "Give it up"),
        done=_("The count was given up: begin it anew"),
        crumbs=(_above(), Crumb(number, _address(row))),
        danger=True,
    )
    form = ReasonForm(sent(request), actor=actor)
    return ask(
        request, question, form, lambda given: give_up_count(actor, number=number, reason=given["reason"]), _address
    )


def _address(row: StockCount) -> str:
    return reverse("console:custody_count", args=[row.number])


def _above() -> Crumb:
    return Crumb(_("Stock counts"), reverse("console:custody_counts"))
