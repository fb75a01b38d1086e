"""The line of an institution: algorithm, keys, sign-on, certificates and their end (S4, ADR 28)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.acquiring.certificates import CERTIFICATES
from sheka.faces.console.acquiring.verbs import LINE_VERBS
from sheka.faces.console.acquiring.views import carry_out, certificate_state, state_of
from sheka.faces.console.acquiring.words import KEYS_FOR, PROFILES, PURPOSES, SPOKEN, VERBS, said
from sheka.faces.console.doors import opens
from sheka.faces.console.forms import ReasonForm
from sheka.faces.console.lists import show_list
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Refused
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.actions.keep_certificates import end_certificate
from sheka.systems.transactions.line_policy import line_policy
from sheka.systems.transactions.queries_of_acquiring import (
    certificate_named,
    certificates_of,
    institution_named,
    side_for_tests,
)
from sheka.systems.transactions.queries_of_lines import (
    KEY_EXCHANGE,
    SIGN_OFF,
    SIGN_ON,
    Spoken,
    keys_in_force,
    network_messages_of,
)

SHOWN = 12


@opens(Permission.ACQUIRING_VIEW)
@require_safe
def line(request: HttpRequest, code: str) -> HttpResponse:
    """How an institution's line is protected, and what was said over it lately."""
    actor, now = request.actor, timezone.now()
    row = institution_named(actor, code)
    side = side_for_tests(row)
    spoken, policy = network_messages_of(actor, row), line_policy(settings.NODE.demo)
    sides = [one for one in (row, side) if one is not None]
    given = [(one, said(PURPOSES[one.purpose])) for place in sides for one in keys_in_force(actor, place)]
    context = {
        "institution": row,
        "state": state_of(row),
        "profile": said(PROFILES[row.profile]),
        "keys_for": said(KEYS_FOR[row.keys_for]),
        "first_keys": sides,
        "given": given,
        "exchanged": max((one.since for one, _word in given), default=None),
        "overlap": policy.overlap // 60,
        "must_sign_on": policy.sign_on,
        "signed": _signed(spoken),
        "spoken": [(one, said(SPOKEN[one.code]) if one.code in SPOKEN else one.code) for one in spoken[:SHOWN]],
        "refused_exchange": next((one for one in spoken if one.code == KEY_EXCHANGE and one.refusal), None),
        "certificates": [(one, certificate_state(one, now)) for one in certificates_of(row)],
        "locked": row.terminals.filter(state="locked").count(),
        "verbs": [
            (name, said(VERBS[name]), verb.danger)
            for name, verb in LINE_VERBS.items()
            if row.state in verb.states and actor.may(verb.needs)
        ],
        "registers": actor.may(Permission.ACQUIRING_REGISTER) and row.state != "closed",
    }
    return render(request, "console/acquiring/line.html", context)


@opens(Permission.LINE_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def line_verb(request: HttpRequest, code: str, verb: str) -> HttpResponse:
    """Ask for what the verb needs, then carry it out."""
    name = verb.replace("-", "_")
    if name not in LINE_VERBS:
        raise Http404
    row = institution_named(request.actor, code)
    return carry_out(request, name, LINE_VERBS[name], row, code, "console:acquiring_line")


@opens(Permission.ACQUIRING_VIEW)
@require_safe
def certificates(request: HttpRequest) -> HttpResponse:
    """Certificates of every institution's lines, those that end first on top."""
    return show_list(request, CERTIFICATES)


@opens(Permission.ACQUIRING_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def certificate(request: HttpRequest, code: str, fingerprint: str) -> HttpResponse:
    """One certificate; who registers may end it, with the reason: open lines lose their right at the next message."""
    actor = request.actor
    found = certificate_named(actor, code, fingerprint)
    may_end = actor.may(Permission.ACQUIRING_REGISTER) and found.ended_at is None
    form, problem, status = ReasonForm(request.POST or None), None, 200
    if request.method == "POST":
        actor.require(Permission.ACQUIRING_REGISTER)
        if form.is_valid():
            try:
                end_certificate(actor, code=code, fingerprint=fingerprint, reason=form.cleaned_data["text"])
            except Refused as refusal:
                problem, status = told(refusal), refusal.http
            else:
                messages.success(request, gettext("The certificate is ended"), extra_tags="good")
                return redirect("console:acquiring_line", code=code)
    now = timezone.now()
    others = [one for one in certificates_of(found.institution) if one.pk != found.pk and _good(one, now)]
    context = {
        "institution": found.institution,
        "certificate": found,
        "state": certificate_state(found, now),
        "others": len(others),
        "form": form if may_end else None,
        "problem": problem,
    }
    return render(request, "console/acquiring/certificate.html", context, status=422 if form.errors else status)


def _good(one: Any, now: Any) -> bool:
    return bool(one.ended_at is None and one.valid_from <= now < one.valid_to)


def _signed(spoken: list[Spoken]) -> Spoken | None:
    """The latest sign-on or sign-off that was approved."""
    return next((one for one in spoken if one.code in (SIGN_ON, SIGN_OFF) and one.refusal == 0), None)
