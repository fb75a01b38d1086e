"""The PIN that is checked over the line, set at a counter on a PIN pad (S4): never typed, never on a page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from sheka.faces.console.acquiring.forms import PinForm
from sheka.faces.console.doors import opens
from sheka.faces.console.telling import told
from sheka.foundation.numbers import mask_card_number
from sheka.foundation.refusals import Refused
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.models import Card
from sheka.systems.cards.queries import card_named
from sheka.systems.transactions.actions.set_card_pin import set_card_pin
from sheka.systems.transactions.queries_of_lines import pin_of_card


@opens(Permission.CARD_PIN)
@require_http_methods(["GET", "HEAD", "POST"])
def set_pin(request: HttpRequest, number: str) -> HttpResponse:
    """Take the block that the pad answered; the machine alone opens it."""
    actor = request.actor
    card = card_named(actor, number)
    form, problem, status = PinForm(request.POST or None), None, 200
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        block = bytes.fromhex(given["block"])
        try:
            set_card_pin(actor, card_number=card.number, terminal=given["terminal"], block=block)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, gettext("The PIN for payments is set"), extra_tags="good")
            return redirect("console:card", number=number)
    context = {
        "card": card,
        "masked": mask_card_number(card.number),
        "pin": pin_of_card(actor, card.number),
        "form": form,
        "problem": problem,
    }
    return render(request, "console/acquiring/pin.html", context, status=422 if form.errors else status)


def pin_part(actor: Actor, card: Card) -> dict[str, Any] | None:
    """What the card's page says of it: nothing to who may not set one."""
    if not actor.may(Permission.CARD_PIN) or not card.number:
        return None
    return {"row": pin_of_card(actor, card.number), "may_set": card.state == "active"}
