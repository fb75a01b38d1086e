"""Asking whoever decides to prove presence for exactly this decision, on a page between the form and its action.

In a view that carries out something that needs it:

    digest = proposal.digest                      # SM3 of the frozen payload, 64 characters of hexadecimal
    page = confirm(request, digest, about)        # about: one sentence, what is being decided
    if page is not None:
        return page
    decide(request.actor, ..., digest=digest)     # the action calls use_confirmation(actor, digest)

The fields that were posted are carried through the page and posted again with the proof; files cannot be carried.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise

from sheka.faces.console.telling import told
from sheka.faces.console.visits import visit_of
from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.confirmations import ask_confirmation, confirm_with_code, confirm_with_key, key_options
from sheka.office.staff.proofs import CODE, KEY, RECOVERY, factors_of
from sheka.office.staff.sessions import session_in_force
from sheka.office.staff.sign_in import code_shown_in_demo

PREFIX = "confirm_"
KEPT_OUT = "csrfmiddlewaretoken"


def confirm(request: HttpRequest, digest: str, about: str | Promise) -> HttpResponse | None:
    """None when presence for `digest` was proved with this request; else the page that asks for it.

    A lock that the last failure brought about ends the session: Refused(SIGN_IN_LOCKED) goes on to its own page.
    """
    problem = None
    if f"{PREFIX}code" in request.POST or request.POST.get(f"{PREFIX}answer"):
        try:
            _prove(request, digest)
        except Refused as refusal:
            if session_in_force(request.staff_session.pk, request.user.pk) is None:
                raise
            problem = told(refusal)
        else:
            return None
    return _page(request, digest, about, problem)


def _prove(request: HttpRequest, digest: str) -> None:
    post, actor, visit = request.POST, request.actor, visit_of(request)
    answer, asked = post.get(f"{PREFIX}answer"), post.get(f"{PREFIX}asked", "")
    if answer:
        if not asked.isdecimal():
            raise Refused(Code.CONFIRMATION_NEEDED)
        confirm_with_key(actor, digest, int(asked), answer, visit)
    else:
        confirm_with_code(actor, digest, post.get(f"{PREFIX}password", ""), post[f"{PREFIX}code"].strip(), visit)


def _page(request: HttpRequest, digest: str, about: str | Promise, problem: object) -> HttpResponse:
    held = factors_of(request.user)
    context = {
        "about": about,
        "digest": digest,
        "problem": problem,
        "carried": [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name != KEPT_OUT and not name.startswith(PREFIX)
        ],
        "with_code": CODE in held,
        "with_recovery": RECOVERY in held and CODE not in held,
        "address": request.get_full_path(),
    }
    if KEY in held:
        asked = ask_confirmation(request.actor, digest)
        context |= {"asked": asked.pk, "options": key_options(asked)}
    if settings.DEMO:
        context["shown"] = code_shown_in_demo(request.user)
    return render(request, "console/account/confirm_page.html", context, status=401 if problem else 200)
