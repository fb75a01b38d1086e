"""Destruction of carriers: the list, its two witnesses, its end, its minutes (K6, K8)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.custody.asking import Crumb, Question, ask, sent
from sheka.faces.console.custody.forms import DestructionForm
from sheka.faces.console.custody.lists import DESTRUCTIONS
from sheka.faces.console.custody.words import DESTRUCTION_TONES, content_words, kind_word, stamp, titled
from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens
from sheka.faces.console.forms import PlainForm
from sheka.faces.console.lists import show_list
from sheka.office.staff.permissions import Permission
from sheka.systems.custody import queries
from sheka.systems.custody.actions.destroy_carriers import (
    close_carrier_destruction,
    give_up_carrier_destruction,
    list_destruction,
    witness_carrier_destruction,
)
from sheka.systems.custody.labels import DESTRUCTION_STATES, METHODS
from sheka.systems.custody.models import CarrierDestruction
from sheka.systems.custody.policy import rules


@opens(Permission.CARRIER_VIEW)
@require_safe
def destructions(request: HttpRequest) -> HttpResponse:
    """The lists of the reader's organisation."""
    return show_list(
        request, DESTRUCTIONS, "console/custody/destructions.html", may_begin=request.actor.may(Permission.CARRIER_KEEP)
    )


@opens(Permission.CARRIER_KEEP)
@require_http_methods(["GET", "HEAD", "POST"])
def destruction_new(request: HttpRequest) -> HttpResponse:
    """What is to be destroyed."""
    actor = request.actor
    question = Question(
        title=_("List carriers for destruction"),
        button=pgettext("custody", "Make the list"),
        done=_("The list waits for its witnesses"),
        crumbs=(_above(),),
        lede=_("Two people who did not make the list confirm that they see exactly these destroyed."),
    )
    form = DestructionForm(sent(request), actor=actor)
    return ask(request, question, form, lambda given: list_destruction(actor, **given), _address)


@opens(Permission.CARRIER_VIEW)
@require_safe
def destruction(request: HttpRequest, number: str) -> HttpResponse:
    """One list with its witnesses."""
    actor, row = request.actor, queries.destruction(request.actor, number)
    witnesses = list(row.witnesses.all())
    seen = {witness.staff_id for witness in witnesses} | {row.creator_id}
    is_open = row.state == "open"
    context = {
        "row": row,
        "stamp": stamp(row.state, DESTRUCTION_STATES, DESTRUCTION_TONES),
        "method": titled(METHODS[row.method]),
        "items": [
            (item.carrier.serial, kind_word(item.carrier.kind), content_words(item.carrier.content))
            for item in row.items.select_related("carrier")
        ],
        "witnesses": witnesses,
        "needed": rules().witnesses,
        "holds": row.state == "closed" and queries.destruction_holds(row),
        "may_witness": is_open and actor.may(Permission.CARRIER_WITNESS) and actor.staff_id not in seen,
        "may_close": is_open and actor.may(Permission.CARRIER_KEEP) and len(witnesses) >= rules().witnesses,
        "may_give_up": is_open and actor.may(Permission.CARRIER_KEEP),
        "crumb": _above(),
    }
    if actor.may(Permission.DOCUMENT_VIEW):
        context["documents"] = subject_context(actor, row.subject)
    return render(request, "console/custody/destruction.html", context)


@opens(Permission.CARRIER_WITNESS)
@require_http_methods(["GET", "HEAD", "POST"])
def destruction_witness(request: HttpRequest, number: str) -> HttpResponse:
    """A witness confirms presence for this list."""
    actor, row = request.actor, queries.destruction(request.actor, number)
    sentence = _("Carriers: %(count)s, list %(number)s") % {"count": row.items.count(), "number": number}
    question = Question(
        title=pgettext("custody", "Witness the destruction"),
        button=_("I see them destroyed"),
        done=_("You are a witness of this destruction"),
        crumbs=(_above(), Crumb(number, _address(row))),
        lede=sentence,
        digest=row.list_digest,
        about=_("You see destroyed: %(what)s") % {"what": sentence},
    )
    form = PlainForm(sent(request))
    return ask(
        request,
        question,
        form,
        lambda given: witness_carrier_destruction(actor, number=number, digest=row.list_digest),
        lambda made: _address(row),
    )


@opens(Permission.CARRIER_KEEP)
@require_http_methods(["GET", "HEAD", "POST"])
def destruction_close(request: HttpRequest, number: str) -> HttpResponse:
    """They are destroyed."""
    actor, row = request.actor, queries.destruction(request.actor, number)
    question = Question(
        title=_("Destroy the carriers and close the list"),
        button=_("They are destroyed"),
        done=_("The record stands; nobody changes it any more"),
        crumbs=(_above(), Crumb(number, _address(row))),
        lede=_("Virtual carriers of this node are overwritten. This cannot be undone."),
        danger=True,
    )
    form = PlainForm(sent(request))
    return ask(request, question, form, lambda given: close_carrier_destruction(actor, number=number), _address)


@opens(Permission.CARRIER_KEEP)
@require_http_methods(["GET", "HEAD", "POST"])
def destruction_give_up(request: HttpRequest, number: str) -> HttpResponse:
    """The list was wrong."""
    actor, row = request.actor, queries.destruction(request.actor, number)
    question = Question(
        title=_("Give the list up"),
        button=pgettext("custody", "Give it up"),
        done=_("The list was given up; its carriers are free"),
        crumbs=(_above(), Crumb(number, _address(row))),
        danger=True,
    )
    form = PlainForm(sent(request))
    return ask(request, question, form, lambda given: give_up_carrier_destruction(actor, number=number), _address)


def _address(row: CarrierDestruction) -> str:
    return reverse("console:custody_destruction", args=[row.number])


def _above() -> Crumb:
    return Crumb(_("Destruction of carriers"), reverse("console:custody_destructions"))
