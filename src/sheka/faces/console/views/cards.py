"""Cards: search, list, the page of one card with its life line, and the verbs that need no card reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sheka.faces.console.forms import ReasonForm
from sheka.faces.console.words import CARD_TONES
from sheka.foundation.numbers import CardNumber
from sheka.foundation.refusals import Refused
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.queries import account_of
from sheka.systems.cards.actions.block_card import block_card, unblock_card
from sheka.systems.cards.actions.cancel_card import cancel_card
from sheka.systems.cards.actions.report_loss import report_loss_temporarily
from sheka.systems.cards.actions.reveal_number import reveal_number
from sheka.systems.cards.labels import STATES, VERBS
from sheka.systems.cards.models import Card
from sheka.systems.cards.queries import card_named, card_page, exchanges_served, search_cards
from sheka.systems.transactions.queries import transactions_of_card

SEARCH = "card_search"
ROWS = 25


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb that a page carries out: what it asks for, whether it stops a card, and the action."""

    asks: str | Promise
    danger: bool
    act: Callable[[Actor, Card, str], object]


VERBS_HERE: dict[str, Verb] = {
    "report_loss_temporarily": Verb(
        gettext_lazy("Who reported it, and how?"),
        True,
        lambda actor, card, text: report_loss_temporarily(actor, card=card, how=text),
    ),
    "block": Verb(gettext_lazy("Why?"), True, lambda actor, card, text: block_card(actor, card=card, reason=text)),
    "unblock": Verb(gettext_lazy("Why?"), False, lambda actor, card, text: unblock_card(actor, card=card, reason=text)),
    "cancel": Verb(gettext_lazy("Why?"), True, lambda actor, card, text: cancel_card(actor, card=card, reason=text)),
    "reveal": Verb(gettext_lazy("For what purpose?"), False, reveal_number),
}


@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """The search box. What was typed travels in the session, never in an address: it may be a person's number."""
    text = request.POST.get("text", "").strip()[:80]
    try:
        return redirect("console:card", number=CardNumber.parse(text).text)
    except Refused:
        request.session[SEARCH] = text
        return redirect(reverse("console:cards") + "?" + urlencode({"found": 1}))


@require_safe
def cards(request: HttpRequest) -> HttpResponse:
    """Cards that the reader serves, by state, or what the search box looked for."""
    text = request.session.get(SEARCH, "") if "found" in request.GET else ""
    state = request.GET.get("state", "")
    number = request.GET.get("page", "1")
    page = search_cards(request.actor, text=text, state=state, page=int(number) if number.isdecimal() else 1)
    context = {"found": page, "searched": bool(text), "state": state, "states": STATES.items(), "tones": CARD_TONES}
    return render(request, "console/cards.html", context)


@require_safe
def card(request: HttpRequest, number: str) -> HttpResponse:
    """One card: identity bar, life line, exchange with its working, account and transactions."""
    actor = request.actor
    page = card_page(actor, number)
    found = card_named(actor, number)
    may_money = actor.may(Permission.ACCOUNT_VIEW)
    offered = [offer for offer in page.offers if offer.permitted and offer.verb in VERBS_HERE]
    context = {
        "page": page,
        "tone": CARD_TONES.get(page.state, "still"),
        "offered": [(offer.verb, VERBS[offer.verb], VERBS_HERE[offer.verb].danger) for offer in offered],
        "withheld": [(VERBS[offer.verb], offer.why_not) for offer in page.offers if not offer.permitted],
        "face": {
            "place": page.organisation[:8],
            "name": page.name,
            "number": page.person_number,
            "card": page.card_number,
        },
        "account": account_of(found.person_id) if may_money else None,
        "transactions": transactions_of_card(found.number)[:ROWS] if may_money else [],
        "tab": request.GET.get("tab", "life"),
    }
    return render(request, "console/card.html", context)


@require_http_methods(["GET", "POST"])
def card_verb(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """Ask for the reason, then carry the verb out."""
    if verb not in VERBS_HERE:
        raise Http404
    actor, what = request.actor, VERBS_HERE[verb]
    found = card_named(actor, number)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = what.act(actor, found, form.cleaned_data["text"])
        told = answer if isinstance(answer, str) else _("Done: %(verb)s") % {"verb": VERBS[verb]}
        messages.add_message(request, messages.SUCCESS, told, extra_tags="good")
        return redirect("console:card", number=number)
    context = {"form": form, "card": found, "verb": VERBS[verb], "asks": what.asks, "danger": what.danger}
    return render(request, "console/card_verb.html", context, status=422 if form.errors else 200)


@require_safe
def exchanges(request: HttpRequest) -> HttpResponse:
    """Exchanges of the reader's city, latest first."""
    page = Paginator(exchanges_served(request.actor), ROWS).get_page(request.GET.get("page"))
    return render(request, "console/exchanges.html", {"page": page})
