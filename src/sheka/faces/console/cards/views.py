"""Cards: search, list, the page of one card with its life line, and the verbs that need no card reader."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.acquiring.pins import pin_part
from sheka.faces.console.cards import sheet
from sheka.faces.console.cards.lists import CARDS
from sheka.faces.console.cards.verbs import VERBS_HERE
from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens
from sheka.faces.console.lists import show_list
from sheka.faces.console.telling import told, why
from sheka.foundation.refusals import Refused
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.queries import account_of
from sheka.systems.cards.labels import VERBS
from sheka.systems.cards.queries import actions_for, card_named, card_page, exchange_named
from sheka.systems.transactions.queries import transactions_of_card

ROWS = 25


@opens(Permission.CARD_VIEW)
@require_safe
def cards(request: HttpRequest) -> HttpResponse:
    """Cards that the reader serves."""
    return show_list(request, CARDS)


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
    finding = sheet.finding(record.finding) if record else None
    tabs = [("life", _("Life line"))]
    about = f"exchange:{case.number}" if case else f"card:{found.number}" if found.number else ""
    if case or (about and actor.may(Permission.DOCUMENT_VIEW)):
        tabs.append(("documents", _("Documents")))
    if finding:
        tabs.append(("finding", _("Reading result")))
    if actor.may(Permission.TRANSACTION_VIEW):
        tabs.append(("transactions", _("Transactions")))
    tab = request.GET.get("tab", "life")
    moments = sheet.life_line(page)
    if record and record.old_card_id == found.pk:
        moments = sheet.with_finding(moments, finding, record.applied_at, record.by)
    context = {
        "page": page,
        "card": found,
        "stamps": sheet.stamps(page, account),
        "facts": sheet.facts(page, found, account),
        "buttons": sheet.buttons(page),
        "withheld": sheet.withheld(page),
        "at_the_reader": sheet.at_the_reader(page),
        "face": sheet.face(page, found),
        "moments": moments,
        "finding": finding,
        "tabs": tabs,
        "tab": tab if tab in dict(tabs) else "life",
        "exchange": case,
        "online_pin": pin_part(actor, found),
    }
    if case:
        context |= {
            "strip": sheet.strip(case),
            "ready_on": sheet.ready_on(case),
            "fee_rule": sheet.fee_rule(case),
            "fee_working": sheet.fee_working(case),
            "papers": sheet.papers(case),
            "receipt": about if actor.may(Permission.EXCHANGE_APPLY) else "",
        }
    if context["tab"] == "documents" and actor.may(Permission.DOCUMENT_VIEW):
        context["documents"] = subject_context(actor, about)
    if context["tab"] == "transactions":
        context["transactions"] = transactions_of_card(found.number)[:ROWS]
    return render(request, "console/cards/card.html", context)


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
                return render(request, "console/cards/number_revealed.html", context)
            messages.success(request, _("Done: %(verb)s") % {"verb": VERBS[verb]}, extra_tags="good")
            return redirect("console:card", number=number)
    not_now = "" if offer.permitted or problem else why(offer.why_not)
    context = {"form": form, "card": found, "verb": VERBS[verb], "what": what, "problem": problem, "not_now": not_now}
    return render(request, "console/cards/verb.html", context, status=422 if form.errors else status)
