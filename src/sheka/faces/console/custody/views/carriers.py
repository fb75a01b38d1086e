"""The stock, the page of one carrier with its chain of custody, what is done with it, and the places (K5, K6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.custody.asking import Crumb, Question, ask, sent
from sheka.faces.console.custody.forms import CheckForm, PlaceForm, ReasonForm, StoreForm
from sheka.faces.console.custody.lists import CARRIERS, whereabouts
from sheka.faces.console.custody.words import carrier_stamp, kind_word, place_name, said
from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens
from sheka.faces.console.forms import PlainForm
from sheka.faces.console.lists import show_list
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody import queries
from sheka.systems.custody.actions.check_carrier import check_carrier, report_faulty
from sheka.systems.custody.actions.places import add_place, close_place, store_carrier
from sheka.systems.custody.actions.report_lost import find_carrier, report_lost
from sheka.systems.custody.ledger import MINISTRY
from sheka.systems.custody.models import Carrier
from sheka.systems.custody.states import CARRIER, HELD


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that is done with one carrier on a page of its own. `states`: in which it is offered."""

    word: str | Promise
    lede: str | Promise
    needs: Permission
    form: type[Any]
    act: Callable[[Actor, str, dict[str, Any]], object]
    states: frozenset[str]
    danger: bool = False


def _from(verb: str) -> frozenset[str]:
    return frozenset(state for state in CARRIER.states if verb in CARRIER.verbs(state))


VERBS: dict[str, Verb] = {
    "check": Verb(
        gettext_lazy("Check the seal and the content"),
        gettext_lazy("Look at the seal and read the content before it is used again."),
        Permission.CARRIER_KEEP,
        CheckForm,
        lambda actor, serial, given: check_carrier(actor, serial, **given),
        _from("pass"),
    ),
    "store": Verb(
        pgettext_lazy("custody", "Put it away"),
        gettext_lazy("Where does it lie from now on?"),
        Permission.CARRIER_KEEP,
        StoreForm,
        lambda actor, serial, given: store_carrier(actor, serial, int(given["place"])),
        frozenset(HELD) - {"in_use"},
    ),
    "faulty": Verb(
        gettext_lazy("Report it faulty"),
        gettext_lazy("It cannot be read or written any more. It is kept apart until it is destroyed."),
        Permission.CARRIER_TAKE,
        ReasonForm,
        lambda actor, serial, given: report_faulty(actor, serial, given["reason"]),
        _from("fail"),
        danger=True,
    ),
    "lost": Verb(
        pgettext_lazy("custody", "Report the loss"),
        gettext_lazy("It is stopped at once, here and wherever it went through. Superior and ministry are told."),
        Permission.CARRIER_REPORT_LOSS,
        ReasonForm,
        lambda actor, serial, given: report_lost(actor, serial, given["reason"]),
        _from("report_lost"),
        danger=True,
    ),
    "found": Verb(
        pgettext_lazy("custody", "It was found"),
        gettext_lazy("It stays frozen until the incident is over: what is on it may be known to others."),
        Permission.CARRIER_KEEP,
        ReasonForm,
        lambda actor, serial, given: find_carrier(actor, serial, given["reason"]),
        _from("find"),
    ),
}


@opens(Permission.CARRIER_VIEW)
@require_safe
def carriers(request: HttpRequest) -> HttpResponse:
    """The register of the reader's organisation."""
    actor = request.actor
    may_issue = actor.may(Permission.CARRIER_ISSUE) and actor.organisation == MINISTRY
    may_begin = actor.may(Permission.CARRIER_TAKE)
    return show_list(request, CARRIERS, "console/custody/stock.html", may_begin=may_begin, may_issue=may_issue)


@opens(Permission.CARRIER_VIEW)
@require_safe
def carrier(request: HttpRequest, serial: str) -> HttpResponse:
    """One carrier: what it is, where, what is on it, its chain of custody."""
    actor, row = request.actor, queries.carrier(request.actor, serial)
    chain = [
        {
            "at": link.at,
            "title": said(link.title),
            "who": _("the system") if link.who.startswith("process:") else link.who,
            "kind": link.kind,
            "detail": "",
        }
        for link in queries.chain_of(actor, serial)
    ]
    offered = [
        (name, verb)
        for name, verb in VERBS.items()
        if actor.may(verb.needs) and row.state in verb.states and not (row.hand_over and name != "lost")
    ]
    tab = request.GET.get("tab", "chain")
    context = {
        "carrier": row,
        "stamp": carrier_stamp(row.state),
        "kind": kind_word(row.kind),
        "where": whereabouts(row),
        "at": place_name(row.at),
        "moments": chain,
        "verbs": offered,
        "may_hand_over": _may_begin(actor, row),
        "tab": tab,
    }
    if tab == "documents" and actor.may(Permission.DOCUMENT_VIEW):
        context["documents"] = subject_context(actor, row.subject)
    return render(request, "console/custody/carrier.html", context)


@opens(Permission.CARRIER_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def carrier_verb(request: HttpRequest, serial: str, verb: str) -> HttpResponse:
    """Ask for what the verb needs, then carry it out."""
    what = VERBS.get(verb)
    if what is None:
        raise Http404
    actor = request.actor
    actor.require(what.needs)
    row = queries.carrier(actor, serial)
    address = reverse("console:custody_carrier", args=[serial])
    question = Question(
        title=what.word,
        button=what.word,
        done=_("Done: %(verb)s") % {"verb": what.word},
        crumbs=(Crumb(_("Key carriers"), reverse("console:custody")), Crumb(serial, address)),
        lede=what.lede,
        danger=what.danger,
    )
    form = what.form(sent(request), actor=actor)
    return ask(request, question, form, lambda given: what.act(actor, row.serial, given), lambda made: address)


@opens(Permission.CARRIER_VIEW)
@require_safe
def places(request: HttpRequest) -> HttpResponse:
    """Where carriers lie, and how many in each."""
    actor = request.actor
    held = queries.carriers(actor).filter(state__in=HELD)
    rows = [(place, held.filter(place=place).count()) for place in queries.places(actor)]
    loose = held.filter(place=None, keeper=None).count()
    return render(
        request,
        "console/custody/places.html",
        {"rows": rows, "loose": loose, "may_keep": actor.may(Permission.CARRIER_KEEP)},
    )


@opens(Permission.CARRIER_KEEP)
@require_http_methods(["GET", "HEAD", "POST"])
def place_new(request: HttpRequest) -> HttpResponse:
    """A further safe, cabinet or shelf."""
    actor = request.actor
    question = Question(
        title=_("Add a place"),
        button=pgettext("custody", "Add it"),
        done=_("The place was added"),
        crumbs=(Crumb(pgettext("custody", "Places"), reverse("console:custody_places")),),
    )

    def act(given: dict[str, Any]) -> object:
        return add_place(actor, name=given["name"], parent_id=int(given["parent"]) if given["parent"] else None)

    form = PlaceForm(sent(request), actor=actor)
    return ask(request, question, form, act, lambda made: reverse("console:custody_places"))


@opens(Permission.CARRIER_KEEP)
@require_http_methods(["GET", "HEAD", "POST"])
def place_close(request: HttpRequest, number: int) -> HttpResponse:
    """An empty place that is used no more."""
    actor = request.actor
    question = Question(
        title=_("Close the place"),
        button=_("Close the place"),
        done=_("The place was closed"),
        crumbs=(Crumb(pgettext("custody", "Places"), reverse("console:custody_places")),),
        lede=_("Only an empty place is closed. Its past stays in the chain of custody of what lay there."),
        danger=True,
    )
    form = PlainForm(sent(request))
    return ask(
        request,
        question,
        form,
        lambda given: close_place(actor, place_id=number),
        lambda made: reverse("console:custody_places"),
    )


def _may_begin(actor: Actor, row: Carrier) -> bool:
    """Whether this reader could begin a hand-over of it."""
    holds = row.keeper_id == actor.staff_id or (row.keeper_id is None and actor.may(Permission.CARRIER_KEEP))
    free = row.state in ("blank", "loaded", "in_use") and not row.hand_over
    return actor.may(Permission.CARRIER_TAKE) and holds and free
