"""Runs of interest: reckoned, looked at, put before a second person, booked (S6)."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sheka.faces.console.accounts.forms import YearForm
from sheka.faces.console.accounts.words import choices, said
from sheka.faces.console.doors import opens
from sheka.faces.console.lists import Column, Listing, Select, Stamp, show_list
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Refused
from sheka.office.approvals.queries import readable_by
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.book_interest import resume_interest
from sheka.systems.accounts.actions.reckon_interest import (
    propose_interest,
    reckon_interest,
    terms_told,
    withdraw_interest,
)
from sheka.systems.accounts.labels import RUN_STATES, RUN_TONES
from sheka.systems.accounts.models import InterestRun
from sheka.systems.accounts.queries_of_pages import interest_run_named, interest_runs

SHOWN = 20
"""Lines of a run on its page: the largest."""


def _state(row: InterestRun) -> Stamp:
    return Stamp(said(RUN_STATES[row.state]), RUN_TONES[row.state])


RUNS = Listing(
    name="interest-runs",
    title=_("Interest"),
    lede=_("Once a year on the balances at the end of each day. One person reckons, another decides."),
    rows=interest_runs,
    default_sort="-year",
    columns=[
        Column(
            "number",
            _("Run"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=lambda row: reverse("console:accounts_interest_one", args=[row.number]),
        ),
        Column("year", pgettext_lazy("accounts", "Year"), lambda row: str(row.year), sort="year", kind="number"),
        Column("scheme", _("Scheme"), lambda row: row.scheme, sort="scheme", kind="number"),
        Column("state", _("State"), _state, sort="state"),
        Column("accounts", _("Accounts"), lambda row: row.accounts, sort="accounts", kind="amount"),
        Column("total", _("Total"), lambda row: row.total, sort="total", kind="money"),
        Column("booked", pgettext_lazy("accounts", "Booked"), lambda row: row.booked, sort="booked", kind="amount"),
        Column("made", _("Reckoned at"), lambda row: row.made_at, sort="made_at", kind="whole"),
    ],
    filters=[Select("state", _("State"), choices(RUN_STATES), "state", all=_("All states"))],
    empty_title=_("No interest yet"),
    empty_text=_("A run appears here when the interest of a year is reckoned."),
)


@opens(Permission.ACCOUNT_VIEW)
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """Runs of the reader's organisation."""
    may = request.actor.may(Permission.ACCOUNT_INTEREST)
    return show_list(request, RUNS, "console/accounts/runs.html", may_reckon=may)


@opens(Permission.ACCOUNT_INTEREST)
@require_http_methods(["GET", "HEAD", "POST"])
def reckon(request: HttpRequest) -> HttpResponse:
    """Reckon a year; nothing is booked."""
    form, problem, status = YearForm(request.POST or None), None, 200
    if request.method == "POST" and form.is_valid():
        try:
            made = reckon_interest(request.actor, year=form.cleaned_data["year"])
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            return redirect("console:accounts_interest_one", number=made.number)
    context = {"form": form, "problem": problem}
    return render(request, "console/accounts/reckon.html", context, status=422 if form.errors else status)


@opens(Permission.ACCOUNT_VIEW)
@require_safe
def run(request: HttpRequest, number: str) -> HttpResponse:
    """One run: its terms, its totals, its largest lines, what can be done with it."""
    row = interest_run_named(request.actor, number)
    actor = request.actor
    verbs = []
    if actor.may(Permission.ACCOUNT_INTEREST) and row.state == "reckoned":
        verbs = [("propose", _("Put before a second person"), True), ("withdraw", _("Withdraw the run"), False)]
    elif actor.may(Permission.ACCOUNT_INTEREST) and row.state == "proposed":
        verbs = [("withdraw", _("Withdraw the run"), False)]
    elif actor.may(Permission.ACCOUNT_DECIDE) and row.state == "booked" and row.waiting:
        verbs = [("resume", _("Book what waited"), True)]
    context = {
        "run": row,
        "stamp": _state(row),
        "terms": said(terms_told(row.terms)),
        "sources": sorted({one["source"] for one in row.terms}),
        "largest": [
            (line, int(line.base))
            for line in row.rows.select_related("account").order_by("-amount", "account_id")[:SHOWN]
        ],
        "verbs": verbs,
        "request_made": readable_by(actor).filter(number=row.proposal).first() if row.proposal else None,
    }
    return render(request, "console/accounts/run.html", context)


@opens(Permission.ACCOUNT_INTEREST, Permission.ACCOUNT_DECIDE)
@require_POST
def verb(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """Propose a run, withdraw it, book what waited."""
    if verb not in ("propose", "withdraw", "resume"):
        raise Http404
    row = interest_run_named(request.actor, number)
    if verb == "propose":
        made = propose_interest(request.actor, number=row.number)
        messages.success(request, gettext("The request waits for a second person."), extra_tags="good")
        return redirect("console:approvals_one", made.pk)
    if verb == "withdraw":
        withdraw_interest(request.actor, number=row.number)
        messages.success(request, gettext("The run is withdrawn."), extra_tags="good")
    else:
        resume_interest(request.actor, number=row.number)
        messages.success(request, gettext("What waited is being booked."), extra_tags="good")
    return redirect("console:accounts_interest_one", number=row.number)
