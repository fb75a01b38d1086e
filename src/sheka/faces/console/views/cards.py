"""Cards: search, list, the page of one card with its life line, and the verbs that need no card reader."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console import card_sheet
from sheka.faces.console.doors import opens
from sheka.faces.console.places import labels
from sheka.faces.console.telling import told, why
from sheka.faces.console.verbs import VERBS_HERE
from sheka.foundation.numbers import CardNumber
from sheka.foundation.refusals import Refused
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.queries import account_of
from sheka.systems.cards.labels import STATES, VERBS
from sheka.systems.cards.queries import (
    actions_for,
    card_named,
    card_page,
    exchange_named,
    exchanges_served,
    search_cards,
)
from sheka.systems.cards.states import OPEN_EXCHANGE
from sheka.systems.transactions.queries import transactions_of_card

SEARCH = "card_search"
ROWS = 25


@opens(Permission.CARD_VIEW)
def search(request: HttpRequest) -> HttpResponse:
    """The search box. What was typed travels in the session, never in an address: it may be a person's number."""
    if request.method != "POST":
        return redirect("console:cards")
    text = request.POST.get("text", "").replace("\0", "").strip()[:80]
    try:
        return redirect("console:card", number=CardNumber.parse(text).text)
    except Refused:
        request.session[SEARCH] = text
        return redirect(reverse("console:cards") + "?" + urlencode({"found": 1}))


@opens(Permission.CARD_VIEW)
@require_safe
def cards(request: HttpRequest) -> HttpResponse:
    """Cards that the reader serves, by state, or what the search box looked for."""
    text = request.session.get(SEARCH, "") if "found" in request.GET else ""
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    number = request.GET.get("page", "1")[:6]
    page = search_cards(request.actor, text=text, state=state, page=int(number) if number.isdecimal() else 1)
    context = {
        "found": page,
        "searched": bool(text),
        "state": state,
        "states": STATES.items(),
        "places": labels(row.outlet for row in page.rows),
    }
    return render(request, "console/cards.html", context)


@opens(Permission.CARD_VIEW)
@require_safe
def card(request: HttpRequest, number: str) -> HttpResponse:
    """One card: identity bar, life line, exchange with its working, account and transactions."""
    actor = request.actor
    page = card_page(actor, number)
    found = card_named(actor, number)
    account = account_of(found.person_id) if actor.may(Permission.ACCOUNT_VIEW) else None
    case = page.exchange
    record = exchange_named(actor, case.number) if case else None
    finding = card_sheet.finding(record.finding) if record else None
    tabs = [("life", _("Life line"))]
    if case:
        tabs.append(("documents", _("Documents")))
    if finding:
        tabs.append(("finding", _("Reading result")))
    if actor.may(Permission.TRANSACTION_VIEW):
        tabs.append(("transactions", _("Transactions")))
    tab = request.GET.get("tab", "life")
    moments = card_sheet.life_line(page)
    if record and record.old_card_id == found.pk:
        moments = card_sheet.with_finding(moments, finding, record.applied_at, record.by)
    context = {
        "page": page,
        "card": found,
        "stamps": card_sheet.stamps(page, account),
        "facts": card_sheet.facts(page, found, account),
        "buttons": card_sheet.buttons(page),
        "withheld": card_sheet.withheld(page),
        "at_the_reader": card_sheet.at_the_reader(page),
        "face": card_sheet.face(page, found),
        "moments": moments,
        "finding": finding,
        "tabs": tabs,
        "tab": tab if tab in dict(tabs) else "life",
        "exchange": case,
    }
    if case:
        context |= {
            "strip": card_sheet.strip(case),
            "ready_on": card_sheet.ready_on(case),
            "fee_rule": card_sheet.fee_rule(case),
            "fee_working": card_sheet.fee_working(case),
            "papers": card_sheet.papers(case),
        }
    if context["tab"] == "transactions":
        context["transactions"] = transactions_of_card(found.number)[:ROWS]
    return render(request, "console/card.html", context)


@opens(Permission.CARD_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def card_verb(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """Ask for what the verb needs, then carry it out. A refusal is told beside what was typed."""
    if verb not in VERBS_HERE:
        raise Http404
    actor, what = request.actor, VERBS_HERE[verb]
    actor.require(what.needs)
    found = card_named(actor, number)
    offer = next(offer for offer in actions_for(found, actor) if offer.verb == verb)
    form, problem, status = what.form(request.POST if request.method == "POST" else None), None, 200
    if request.method == "POST" and form.is_valid():
        try:
            answer = what.act(actor, found, form)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            if verb == "reveal":
                context = {"card": found, "number": answer, "purpose": form.cleaned_data["text"]}
                return render(request, "console/number_revealed.html", context)
            messages.success(request, _("Done: %(verb)s") % {"verb": VERBS[verb]}, extra_tags="good")
            return redirect("console:card", number=number)
    not_now = "" if offer.permitted or problem else why(offer.why_not)
    context = {"form": form, "card": found, "verb": VERBS[verb], "what": what, "problem": problem, "not_now": not_now}
    return render(request, "console/card_verb.html", context, status=422 if form.errors else status)


@opens(Permission.CARD_VIEW)
@require_safe
def exchanges(request: HttpRequest) -> HttpResponse:
    """Exchanges of the reader's city, latest first."""
    page = Paginator(exchanges_served(request.actor), ROWS).get_page(request.GET.get("page"))
    context = {"page": page, "open": OPEN_EXCHANGE, "today": timezone.localdate()}
    return render(request, "console/exchanges.html", context)
