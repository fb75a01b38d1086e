"""Institutions and terminals: lists, pages with what may be done, the tests, the map (S4)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.acquiring.forms import RegisterForm, TestCardForm, TestMoneyForm
from sheka.faces.console.acquiring.lists import INSTITUTIONS, TERMINALS, psam_in
from sheka.faces.console.acquiring.pictures import HEIGHT, WIDTH, map_of
from sheka.faces.console.acquiring.verbs import INSTITUTION_VERBS, TERMINAL_VERBS, first_values, offered_to
from sheka.faces.console.acquiring.words import (
    CHANNELS,
    FAULTS,
    KINDS,
    OUTCOME_TONES,
    OUTCOMES,
    PROFILES,
    STATES,
    TONES,
    VERBS,
    said,
)
from sheka.faces.console.doors import opens
from sheka.faces.console.lists import show_list
from sheka.faces.console.telling import told
from sheka.foundation.numbers import mask_card_number
from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.acquiring_models import Certificate, Onboarding
from sheka.systems.transactions.actions.keep_test_cards import fund_test_card, money_of_test_card, name_test_card
from sheka.systems.transactions.actions.register_institution import register_institution
from sheka.systems.transactions.models import Institution, Terminal
from sheka.systems.transactions.onboarding import progress
from sheka.systems.transactions.queries_of_acquiring import (
    SOON,
    cards_for_tests,
    certificates_of,
    institution_named,
    last_seen,
    must_be_tested_again,
    onboardings_of,
    side_for_tests,
    spots_of,
    terminal_named,
    terminals_registered,
    test_card_numbered,
    trials_of,
)
from sheka.systems.transactions.queries_of_lines import faults_of

SHOWN_TERMINALS, SHOWN_MESSAGES = 50, 200


@opens(Permission.ACQUIRING_VIEW)
@require_safe
def institutions(request: HttpRequest) -> HttpResponse:
    """The registry."""
    may = request.actor.may(Permission.ACQUIRING_REGISTER)
    return show_list(request, INSTITUTIONS, "console/acquiring/institutions.html", may_register=may)


@opens(Permission.ACQUIRING_VIEW)
@require_safe
def terminals(request: HttpRequest) -> HttpResponse:
    """Terminals in service."""
    return show_list(request, TERMINALS, "console/acquiring/terminals.html")


@opens(Permission.ACQUIRING_REGISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """A new institution."""
    form, problem, status = RegisterForm(request.POST or None), None, 200
    if request.method == "POST" and form.is_valid():
        try:
            made = register_institution(request.actor, **form.cleaned_data)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, gettext("Registered: %(code)s") % {"code": made.code}, extra_tags="good")
            return redirect("console:acquiring_institution", code=made.code)
    context = {"form": form, "problem": problem}
    return render(request, "console/acquiring/register.html", context, status=422 if form.errors else status)


@opens(Permission.ACQUIRING_VIEW)
@require_safe
def institution(request: HttpRequest, code: str) -> HttpResponse:
    """One institution: what is registered, its keys, certificates, terminals, and how far its tests are."""
    row, actor = institution_named(request.actor, code), request.actor
    runs = list(onboardings_of(row))
    running = next((run for run in runs if run.ended_at is None), None)
    waits = any(run.outcome == "accepted" and run.adopted_at is None for run in runs)
    last = running or (runs[0] if runs else None)
    again = must_be_tested_again(row)
    known, side = list(row.terminals.order_by("number")[:SHOWN_TERMINALS]), side_for_tests(row)
    seen, now = last_seen(known), timezone.now()
    context = {
        "institution": row,
        "state": state_of(row),
        "kind": said(KINDS[row.kind]),
        "verbs": _offered(INSTITUTION_VERBS, offered_to(actor, row, testing=running is not None, accepted=waits)),
        "again": again,
        "settled": row.state == "active" and running is None and not waits and not again,
        "keys": [one for one in (row, side) if one is not None],
        "certificates": [(one, certificate_state(one, now)) for one in certificates_of(row)],
        "profile": said(PROFILES[row.profile]),
        "terminals": [(one, state_of(one), seen.get(one.pk)) for one in known],
        "count": row.terminals.count(),
        "test_terminals": list(side.terminals.order_by("number")) if side else [],
        "run": last,
        "ticks": _ticks(last),
        "runs": [(run, said(OUTCOMES[run.outcome]), OUTCOME_TONES[run.outcome]) for run in runs],
    }
    return render(request, "console/acquiring/institution.html", context)


@opens(Permission.ACQUIRING_VIEW)
@require_safe
def tests(request: HttpRequest, code: str) -> HttpResponse:
    """What its test terminals said, and what of the script is done."""
    row = institution_named(request.actor, code)
    last = onboardings_of(row).first()
    ticks = _ticks(last)
    said_so = list(trials_of(row, since=last.begun_at if last else None)[:SHOWN_MESSAGES])
    context = {
        "institution": row,
        "state": state_of(row),
        "run": last,
        "channel": said(CHANNELS[last.channel]) if last else "",
        "outcome": (said(OUTCOMES[last.outcome]), OUTCOME_TONES[last.outcome]) if last else None,
        "ticks": ticks,
        "done": sum(tick["done"] for tick in ticks),
        "trials": [
            (one, mask_card_number(one.card_number) if one.card_number else "", _name(one.refusal)) for one in said_so
        ],
    }
    return render(request, "console/acquiring/tests.html", context)


@opens(Permission.ACQUIRING_VIEW)
@require_safe
def terminal(request: HttpRequest, number: str) -> HttpResponse:
    """One terminal."""
    row = terminal_named(request.actor, number)
    testing = row.institution.test_of is not None
    context = {
        "terminal": row,
        "owner": row.institution.test_of or row.institution,
        "testing": testing,
        "state": state_of(row),
        "channel": said(CHANNELS[row.channel]),
        "psam": psam_in(row),
        "seen": last_seen([row]).get(row.pk),
        "verbs": _offered(TERMINAL_VERBS, offered_to(request.actor, row, testing=testing)),
        "faults": [(one, said(FAULTS[one.kind])) for one in faults_of(request.actor, number) if one.times],
        "locked": row.state == "locked",
        "unlocks": request.actor.may(Permission.TERMINAL_UNLOCK),
        "sees_psams": request.actor.may(Permission.PSAM_VIEW),
    }
    return render(request, "console/acquiring/terminal.html", context)


@opens(Permission.ACQUIRING_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def institution_verb(request: HttpRequest, code: str, verb: str) -> HttpResponse:
    """Ask for what the verb needs, then carry it out."""
    name = verb.replace("-", "_")
    if name not in INSTITUTION_VERBS:
        raise Http404
    request.actor.require(INSTITUTION_VERBS[name].needs)
    row = institution_named(request.actor, code)
    return carry_out(request, name, INSTITUTION_VERBS[name], row, code, "console:acquiring_institution")


@opens(Permission.ACQUIRING_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def terminal_verb(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """The same for a terminal."""
    name = verb.replace("-", "_")
    if name not in TERMINAL_VERBS:
        raise Http404
    request.actor.require(TERMINAL_VERBS[name].needs)
    row = terminal_named(request.actor, number)
    if row.institution.test_of is not None and name != "unlock":
        raise Refused(Code.TERMINAL_UNKNOWN, terminal=number)
    return carry_out(request, name, TERMINAL_VERBS[name], row, number, "console:acquiring_terminal")


@opens(Permission.ACQUIRING_VIEW)
@require_safe
def map_page(request: HttpRequest) -> HttpResponse:
    """Where the terminals are: a picture to scale, and the same as a table."""
    spots = spots_of(request.actor)
    states = Counter(spot.terminal.state for spot in spots)
    nowhere = terminals_registered(request.actor).filter(latitude=None).count()
    context = {
        "map": map_of(spots),
        "width": WIDTH,
        "height": HEIGHT,
        "states": [(state, said(STATES[state]), states[state]) for state in STATES if states[state]],
        "rows": [(spot, state_of(spot.terminal)) for spot in spots],
        "nowhere": nowhere,
    }
    return render(request, "console/acquiring/map.html", context)


@opens(Permission.ACQUIRING_VIEW, Permission.ACCOUNT_DEPOSIT)
@require_http_methods(["GET", "HEAD", "POST"])
def test_cards(request: HttpRequest) -> HttpResponse:
    """The city's cards for tests; a supervisor sets one apart."""
    form, problem, status = TestCardForm(request.POST or None), None, 200
    if request.method == "POST":
        request.actor.require(Permission.ACQUIRING_ACTIVATE)
        if form.is_valid():
            try:
                name_test_card(request.actor, **form.cleaned_data)
            except Refused as refusal:
                problem, status = told(refusal), refusal.http
            else:
                messages.success(request, gettext("The card is for tests from now on"), extra_tags="good")
                return redirect("console:acquiring_cards")
    context = {
        "form": form if request.actor.may(Permission.ACQUIRING_ACTIVATE) else None,
        "problem": problem,
        "cards": [
            (mask_card_number(one.card_number), one, money_of_test_card(one)) for one in cards_for_tests(request.actor)
        ],
        "pays": request.actor.may(Permission.ACCOUNT_DEPOSIT),
        "sees": request.actor.may(Permission.ACQUIRING_VIEW),
    }
    return render(request, "console/acquiring/cards.html", context, status=422 if form.errors else status)


@opens(Permission.ACCOUNT_DEPOSIT)
@require_http_methods(["GET", "HEAD", "POST"])
def test_money(request: HttpRequest, number: int) -> HttpResponse:
    """Money for a card for tests, from the fund of tests; sent twice it is paid in once."""
    card = test_card_numbered(request.actor, number)
    posted = request.POST if request.method == "POST" else None
    form, problem, status = TestMoneyForm(posted, initial={"once": uuid4()}), None, 200
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            fund_test_card(request.actor, card_number=card.card_number, amount=given["amount"], client_id=given["once"])
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, gettext("The test money is paid in"), extra_tags="good")
            return redirect("console:acquiring_cards")
    context = {
        "form": form,
        "problem": problem,
        "card": mask_card_number(card.card_number),
        "held": money_of_test_card(card),
    }
    return render(request, "console/acquiring/money.html", context, status=422 if form.errors else status)


test_cards.__test__ = test_money.__test__ = False  # type: ignore[attr-defined]


def carry_out(
    request: HttpRequest, name: str, what: Any, row: Institution | Terminal, key: str, page: str
) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    form, problem, status = what.form(posted, initial=first_values(name, row)), None, 200
    if what.prepare is not None:
        what.prepare(form, request.actor, row)
    if request.method == "POST" and form.is_valid():
        try:
            what.act(request.actor, key, form)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, gettext("Recorded: %(verb)s") % {"verb": said(VERBS[name])}, extra_tags="good")
            return redirect(page, key)
    context = {
        "row": row,
        "key": key,
        "page": page,
        "state": state_of(row),
        "form": form,
        "what": what,
        "verb": said(VERBS[name]),
        "problem": problem,
        "is_terminal": isinstance(row, Terminal),
    }
    return render(request, "console/acquiring/verb.html", context, status=422 if form.errors else status)


def state_of(row: Institution | Terminal) -> tuple[str, str]:
    return said(STATES.get(row.state, STATES["registered"])), TONES.get(row.state, "still")


def _offered(verbs: dict[str, Any], names: list[str]) -> list[tuple[str, str, bool]]:
    return [(name, said(VERBS[name]), verbs[name].danger) for name in names]


def _ticks(run: Onboarding | None) -> list[dict[str, Any]]:
    if run is None:
        return []
    return [{"title": said(tick.step.title), "done": tick.done, "at": tick.at} for tick in progress(run)]


def certificate_state(one: Certificate, now: datetime) -> tuple[str, str]:
    """Word and tone of a certificate: one that ends soon waits for somebody."""
    if one.ended_at is not None:
        return gettext("ended"), "still"
    if one.valid_to <= now:
        return gettext("expired"), "stop"
    if one.valid_from > now:
        return gettext("not yet in force"), "wait"
    if one.valid_to <= now + SOON:
        left = (one.valid_to - now).days
        return ngettext("in force for %(n)s day more", "in force for %(n)s days more", left) % {"n": left}, "wait"
    return gettext("in force"), "good"


def _name(refusal: int) -> str:
    return next((code.name for code in Code if code.value == refusal), "") if refusal else ""
