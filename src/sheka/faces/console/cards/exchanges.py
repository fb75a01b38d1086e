"""Exchanges at the counter: the list, one exchange, applying, taking the fee, handing over, cancelling (R1-R8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.cards import sheet
from sheka.faces.console.cards.counter_forms import ApplyForm, CollectForm, PayForm
from sheka.faces.console.cards.lists import EXCHANGES
from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens
from sheka.faces.console.forms import ReasonForm, Sheet
from sheka.faces.console.lists import show_list
from sheka.faces.console.telling import is_about_permission, told, why
from sheka.faces.console.words import EXCHANGE_TONES
from sheka.foundation.refusals import Refused
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.actions.apply_exchange import apply_exchange
from sheka.systems.cards.actions.cancel_exchange import cancel_exchange
from sheka.systems.cards.actions.collect_exchange import collect_exchange
from sheka.systems.cards.actions.pay_exchange import pay_exchange
from sheka.systems.cards.documents import documents_of_collection, needed_documents
from sheka.systems.cards.fees import Ground
from sheka.systems.cards.labels import EXCHANGE_STATES, EXCHANGE_VERBS, GROUNDS
from sheka.systems.cards.queries import actions_for, card_named, exchange_named, exchange_page
from sheka.systems.cards.queries.exchange_page import NEEDS

DANGER = frozenset(("cancel",))


@opens(Permission.CARD_VIEW)
@require_safe
def exchanges(request: HttpRequest) -> HttpResponse:
    """Exchanges of the reader's city, latest first."""
    return show_list(request, EXCHANGES)


@opens(Permission.CARD_VIEW)
@require_safe
def exchange(request: HttpRequest, number: str) -> HttpResponse:
    """One exchange: what it rests on, its days, its fee, its documents, what happened."""
    actor = request.actor
    page = exchange_page(actor, number)
    case, summary = page.case, page.summary
    offered = [offer.verb for offer in page.offers if offer.permitted]
    first = next((verb for verb in offered if verb not in DANGER), None)
    finding = sheet.finding(case.finding)
    context = {
        "case": case,
        "exchange": summary,
        "ground": GROUNDS[case.ground],
        "stamp": sheet.Stamp(str(EXCHANGE_STATES[case.state]), EXCHANGE_TONES.get(case.state, "wait")),
        "buttons": [
            (verb, EXCHANGE_VERBS[verb], "danger" if verb in DANGER else "primary" if verb == first else "")
            for verb in offered
        ],
        "withheld": [
            sheet.Fact(str(EXCHANGE_VERBS[offer.verb]), why(offer.why_not))
            for offer in page.offers
            if not offer.permitted and not is_about_permission(offer.why_not)
        ],
        "moments": sheet.with_finding(sheet.moments_of(page.line), finding, case.applied_at, case.by),
        "finding": finding,
        "papers": sheet.papers(summary),
        "strip": sheet.strip(summary),
        "ready_on": sheet.ready_on(summary),
        "fee_rule": sheet.fee_rule(summary),
        "fee_working": sheet.fee_working(summary),
        "documents": subject_context(actor, case.subject) if actor.may(Permission.DOCUMENT_VIEW) else None,
    }
    return render(request, "console/cards/exchange_page.html", context)


@opens(*NEEDS.values())
@require_http_methods(["GET", "HEAD", "POST"])
def exchange_verb(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """Take the fee, hand over the new card, or cancel. A refusal is told beside what was typed."""
    if verb not in NEEDS:
        raise Http404
    actor, data = request.actor, request.POST if request.method == "POST" else None
    actor.require(NEEDS[verb])
    case = exchange_named(actor, number)
    form, act = _VERBS[verb](actor, case, data, request.GET.get("by") == "proxy")
    problem, status = None, 200
    if data is not None and form.is_valid():
        try:
            act(form)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, _("Done: %(verb)s") % {"verb": EXCHANGE_VERBS[verb]}, extra_tags="good")
            return redirect("console:exchange", number=number)
    offer = next(offer for offer in exchange_page(actor, number).offers if offer.verb == verb)
    context = {
        "case": case,
        "form": form,
        "verb": EXCHANGE_VERBS[verb],
        "name": verb,
        "problem": problem,
        "danger": verb in DANGER,
        "not_now": "" if offer.permitted or problem else why(offer.why_not),
    }
    return render(request, "console/cards/exchange_verb.html", context, status=422 if form.errors else status)


Prepared = tuple[Sheet, Callable[[Any], object]]


def _pay(actor: Actor, case: Any, data: Any, by_proxy: bool) -> Prepared:
    form = PayForm(data, initial={"fee": case.fee_fen})

    def act(form: PayForm) -> object:
        given = form.cleaned_data
        return pay_exchange(actor, number=case.number, paid_fen=given["fee"], receipt=given["receipt"])

    return form, act


def _collect(actor: Actor, case: Any, data: Any, by_proxy: bool) -> Prepared:
    needed = documents_of_collection(by_proxy=by_proxy, on=timezone.localdate())
    form = CollectForm(data, needed=needed, by_proxy=by_proxy)

    def act(form: CollectForm) -> object:
        return collect_exchange(
            actor,
            number=case.number,
            identity=form.identity(),
            documents=form.documents(),
            old_card=form.cleaned_data["old_card"].strip().upper(),
            not_returned=form.cleaned_data["not_returned"],
            proxy=form.proxy(),
        )

    return form, act


def _cancel(actor: Actor, case: Any, data: Any, by_proxy: bool) -> Prepared:
    def act(form: ReasonForm) -> object:
        return cancel_exchange(actor, number=case.number, reason=form.cleaned_data["text"])

    return ReasonForm(data), act


_VERBS: dict[str, Callable[[Actor, Any, Any, bool], Prepared]] = {"pay": _pay, "collect": _collect, "cancel": _cancel}


@opens(Permission.EXCHANGE_APPLY)
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest, number: str) -> HttpResponse:
    """Take the application for an exchange: a defaced surface (R7) or changed data (R8), in person or by proxy (R1).

    A chip that cannot be read needs the reader's own finding: that application is taken where the card is read.
    """
    actor = request.actor
    card = card_named(actor, number)
    ground = Ground.DATA_CHANGED if request.GET.get("ground") == Ground.DATA_CHANGED else Ground.DAMAGED
    by_proxy = request.GET.get("by") == "proxy"
    needed = needed_documents(ground, by_proxy=by_proxy, on=timezone.localdate())
    data = request.POST if request.method == "POST" else None
    form = ApplyForm(data, needed=needed, by_proxy=by_proxy, ground=ground)
    problem, status = None, 200
    if data is not None and form.is_valid():
        try:
            case = apply_exchange(
                actor,
                card=card,
                ground=ground,
                identity=form.identity(),
                documents=form.documents(),
                proxy=form.proxy(),
                damage=form.damage(),
                change_form=form.cleaned_data.get("change_form", ""),
            )
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            done = _("Exchange %(number)s is open. Print the receipt for the applicant.") % {"number": case.number}
            messages.success(request, done, extra_tags="good")
            return redirect("console:exchange", number=case.number)
    offer = next(offer for offer in actions_for(card, actor) if offer.verb == "exchange")
    context = {
        "card": card,
        "form": form,
        "ground": ground.value,
        "grounds": GROUNDS.items(),
        "by_proxy": by_proxy,
        "problem": problem,
        "not_now": "" if offer.permitted or problem else why(offer.why_not),
    }
    return render(request, "console/cards/apply.html", context, status=422 if form.errors else status)
