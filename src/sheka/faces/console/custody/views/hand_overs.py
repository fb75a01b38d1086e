"""The hand-over desk: begin, give, receive, refuse, call back; two people in two sessions (K6)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.custody.asking import Crumb, Question, ask, sent
from sheka.faces.console.custody.forms import HandOverForm, ReasonForm, TakeForm
from sheka.faces.console.custody.lists import HAND_OVERS
from sheka.faces.console.custody.words import (
    HAND_OVER_TONES,
    content_words,
    kind_word,
    place_name,
    said,
    stamp,
    titled,
)
from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens, polled
from sheka.faces.console.forms import PlainForm
from sheka.faces.console.lists import show_list
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody import queries
from sheka.systems.custody.actions.begin_hand_over import begin_hand_over, give_hand_over
from sheka.systems.custody.actions.complete_hand_over import (
    cancel_hand_over,
    complete_hand_over,
    dispute_hand_over,
)
from sheka.systems.custody.labels import HAND_OVER_STATES, PURPOSES
from sheka.systems.custody.models import HandOver


@opens(Permission.CARRIER_VIEW)
@require_safe
def hand_overs(request: HttpRequest) -> HttpResponse:
    """All of the reader's organisation, the newest first."""
    return show_list(
        request, HAND_OVERS, "console/custody/hand_overs.html", may_begin=request.actor.may(Permission.CARRIER_TAKE)
    )


@opens(Permission.CARRIER_TAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over_new(request: HttpRequest) -> HttpResponse:
    """What goes to whom; nothing moves yet. `?serials=…` fills in what a page offered."""
    actor = request.actor
    question = Question(
        title=_("Begin a hand-over"),
        button=pgettext("custody", "Write it down"),
        done=_("Read it once more, then give"),
        crumbs=(_above(),),
        lede=_("Nothing moves before both have confirmed, each signed in as himself or herself."),
    )
    first = {"serials": "\n".join(request.GET.get("serials", "").split(",")), "to": request.GET.get("to", "")}
    first["purpose"] = "send" if first["to"] else "use" if actor.may(Permission.CARRIER_KEEP) else "keep"
    form = HandOverForm(sent(request), actor=actor, initial=first)
    return ask(request, question, form, lambda given: begin_hand_over(actor, **given), _address)


@opens(Permission.CARRIER_VIEW)
@require_safe
def hand_over(request: HttpRequest, number: str) -> HttpResponse:
    """One hand-over: what, who gives, who receives, what each has confirmed."""
    actor, row = request.actor, queries.hand_over(request.actor, number)
    context = _state(actor, row) | {"crumb": _above(), "reader": actor}
    if actor.may(Permission.DOCUMENT_VIEW):
        context["documents"] = subject_context(actor, row.subject)
    return render(request, "console/custody/hand_over.html", context)


@polled
@opens(Permission.CARRIER_VIEW)
@require_safe
def hand_over_state(request: HttpRequest, number: str) -> HttpResponse:
    """Asked for while the page waits for the other person: it is opened anew when that one has acted."""
    row = queries.hand_over(request.actor, number)
    if request.GET.get("seen") == _seen(row):
        return HttpResponse(status=204)
    moved = HttpResponse(status=200)
    moved["HX-Redirect"] = _address(row)
    return moved


@opens(Permission.CARRIER_TAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over_give(request: HttpRequest, number: str) -> HttpResponse:
    """The giver's half."""
    actor, row = request.actor, queries.hand_over(request.actor, number)
    question = Question(
        title=_("I give these carriers"),
        button=_("I give them"),
        done=_("Given: the receiver confirms next"),
        crumbs=_crumbs(row),
        lede=_sentence(row),
        digest=row.digest,
        about=_("You give: %(what)s") % {"what": _sentence(row)},
    )
    form = PlainForm(sent(request))
    return ask(
        request,
        question,
        form,
        lambda given: give_hand_over(actor, number=number, digest=row.digest),
        _address,
        items=_items(row),
    )


@opens(Permission.CARRIER_TAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over_take(request: HttpRequest, number: str) -> HttpResponse:
    """The receiver's half."""
    actor, row = request.actor, queries.hand_over(request.actor, number)
    question = Question(
        title=_("I receive these carriers"),
        button=_("I receive them"),
        done=_("The hand-over is complete"),
        crumbs=_crumbs(row),
        lede=_sentence(row),
        digest=row.digest,
        about=_("You receive: %(what)s") % {"what": _sentence(row)},
    )
    stored = row.purpose in ("keep", "send", "return")
    form = TakeForm(sent(request), actor=actor, sealed=bool(row.bag), stored=stored)

    def act(given: dict[str, Any]) -> object:
        place = given.get("place")
        return complete_hand_over(
            actor,
            number=number,
            digest=row.digest,
            bag=given.get("bag", ""),
            place_id=int(place) if place else None,
        )

    return ask(request, question, form, act, _address, items=_items(row))


@opens(Permission.CARRIER_TAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over_refuse(request: HttpRequest, number: str) -> HttpResponse:
    """The receiver does not take it."""
    actor, row = request.actor, queries.hand_over(request.actor, number)
    question = Question(
        title=_("Refuse the hand-over"),
        button=pgettext("custody", "Refuse it"),
        done=_("Refused: the carriers are stopped, and an incident is reported"),
        crumbs=_crumbs(row),
        lede=_("For a seal that is broken, another bag, or something that is missing. Leave the bag shut."),
        danger=True,
    )
    form = ReasonForm(sent(request), actor=actor)
    return ask(
        request,
        question,
        form,
        lambda given: dispute_hand_over(actor, number=number, reason=given["reason"]),
        _address,
    )


@opens(Permission.CARRIER_TAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over_cancel(request: HttpRequest, number: str) -> HttpResponse:
    """The giver's side takes it back."""
    actor, row = request.actor, queries.hand_over(request.actor, number)
    question = Question(
        title=_("Call the hand-over off"),
        button=pgettext("custody", "Call it off"),
        done=pgettext("custody", "Called off"),
        crumbs=_crumbs(row),
        lede=_("What is on its way to another organisation comes back only if it was not taken there already."),
        danger=True,
    )
    form = ReasonForm(sent(request), actor=actor)
    return ask(
        request,
        question,
        form,
        lambda given: cancel_hand_over(actor, number=number, reason=given["reason"]),
        _address,
    )


def _state(actor: Actor, row: HandOver) -> dict[str, Any]:
    giver = row.giver_id == actor.staff_id
    takes = actor.may(Permission.CARRIER_TAKE)
    running = row.state in ("begun", "given", "recalled")
    ours = row.sender == actor.organisation
    return {
        "row": row,
        "seen": _seen(row),
        "stamp": stamp(row.state, HAND_OVER_STATES, HAND_OVER_TONES),
        "purpose": titled(PURPOSES[row.purpose]),
        "receiver": row.receiver_name or queries.receiver_name(actor, row),
        "sender": place_name(row.sender),
        "recipient": place_name(row.recipient),
        "items": _items(row),
        "running": running,
        "late": running and row.expires_at < timezone.now(),
        "may_give": takes and giver and row.state == "begun",
        "may_take": takes and queries.names_to_receive(actor, row) and row.state == "given",
        "may_cancel": ours and row.state in ("begun", "given") and (giver or actor.may(Permission.CARRIER_KEEP)),
        "uncertified": not row.within and row.recipient == actor.organisation and row.certified is not True,
    }


def _seen(row: HandOver) -> str:
    return f"{row.state}-{row.certified}"


def _items(row: HandOver) -> list[tuple[str, str, str]]:
    return [(item["serial"], kind_word(item["kind"]), content_words(item["content"])) for item in row.items]


def _sentence(row: HandOver) -> str:
    facts = {"count": len(row.items), "giver": row.giver_name, "purpose": said(PURPOSES[row.purpose])}
    if row.within:
        return _("Carriers: %(count)s, from %(giver)s, %(purpose)s") % facts
    facts["to"] = place_name(row.recipient)
    if not row.bag:
        return _("Carriers: %(count)s, from %(giver)s to %(to)s, at one desk") % facts
    facts |= {"bag": row.bag, "courier": row.courier}
    return _("Carriers: %(count)s, from %(giver)s to %(to)s, bag %(bag)s by %(courier)s") % facts


def _address(row: HandOver) -> str:
    return reverse("console:custody_hand_over", args=[row.number])


def _above() -> Crumb:
    return Crumb(pgettext("custody", "Hand-overs"), reverse("console:custody_hand_overs"))


def _crumbs(row: HandOver) -> tuple[Crumb, ...]:
    return _above(), Crumb(row.number, _address(row))
