"""Signing in with password and second factor, and signing out."""

from __future__ import annotations

import secrets
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from sheka.faces.console.account.forms import CodeForm, RecoveryForm, SignInForm
from sheka.faces.console.doors import at_the_door
from sheka.faces.console.telling import told
from sheka.faces.console.visits import STAFF_SESSION, visit_of
from sheka.foundation.refusals import Refused
from sheka.office.staff.models import StaffMember
from sheka.office.staff.proofs import CODE, KEY, RECOVERY, factors_of, prove_code, prove_key, prove_recovery
from sheka.office.staff.queries import staff_with
from sheka.office.staff.security_keys import assertion_options
from sheka.office.staff.sign_in import (
    check_password,
    close_session,
    code_shown_in_demo,
    open_session,
    seconds_to_next_code,
)

PENDING = "sign_in_pending"
PENDING_SECONDS = 300
CHALLENGE_BYTES = 32


@at_the_door
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """First step: log-in name and password."""
    form = SignInForm(request.POST if request.method == "POST" else None)
    problem = None
    if request.method == "POST" and form.is_valid():
        try:
            staff = check_password(form.cleaned_data["login"], form.cleaned_data["password"], visit_of(request))
        except Refused as refusal:
            problem = told(refusal)
        else:
            request.session.cycle_key()
            request.session[PENDING] = {
                "staff": staff.pk,
                "at": time.time(),
                "next": request.POST.get("next", ""),
                "challenge": secrets.token_hex(CHALLENGE_BYTES),
            }
            return redirect("console:second_factor")
    context = {"form": form, "problem": problem, "next": request.POST.get("next") or request.GET.get("next", "")}
    return render(request, "console/account/sign_in.html", context, status=401 if problem else 200)


@at_the_door
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Second step: a security key, or the one-time code. In the demo the page shows the code."""
    pending = _pending(request)
    if pending is None:
        return redirect(settings.LOGIN_URL)
    staff, answer, problem = staff_with(pending["staff"]), request.POST.get("answer"), None
    form = CodeForm(request.POST if request.method == "POST" and not answer else None)
    challenge = bytes.fromhex(pending["challenge"])
    try:
        if answer:
            prove_key(staff, challenge, answer, visit_of(request))
            return _let_in(request, staff, KEY, pending["next"])
        if request.method == "POST" and form.is_valid():
            prove_code(staff, form.cleaned_data["code"], visit_of(request))
            return _let_in(request, staff, CODE, pending["next"])
    except Refused as refusal:
        problem = told(refusal)
    held = factors_of(staff)
    context = {"form": form, "problem": problem, "staff": staff, "held": held}
    if KEY in held:
        context["options"] = assertion_options(staff, challenge)
    if settings.DEMO and CODE in held:
        context |= {"shown": code_shown_in_demo(staff), "wait": seconds_to_next_code(staff)}
    return render(request, "console/account/second_factor.html", context, status=401 if problem else 200)


@at_the_door
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def recovery(request: HttpRequest) -> HttpResponse:
    """Second step without a device at hand: a code of the sheet, each once."""
    pending = _pending(request)
    if pending is None:
        return redirect(settings.LOGIN_URL)
    form = RecoveryForm(request.POST if request.method == "POST" else None)
    problem = None
    if request.method == "POST" and form.is_valid():
        staff = staff_with(pending["staff"])
        try:
            prove_recovery(staff, form.cleaned_data["code"], visit_of(request))
            return _let_in(request, staff, RECOVERY, pending["next"])
        except Refused as refusal:
            problem = told(refusal)
    context = {"form": form, "problem": problem}
    return render(request, "console/account/recovery.html", context, status=401 if problem else 200)


@at_the_door
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session here and in the browser."""
    if request.user.is_authenticated:
        close_session(request.user, request.session.get(STAFF_SESSION))
    logout(request)
    return redirect(settings.LOGIN_URL)


def _pending(request: HttpRequest) -> dict[str, Any] | None:
    """Who has given the password in this browser, in the last minutes."""
    found: dict[str, Any] | None = request.session.get(PENDING)
    if found and time.time() - found["at"] <= PENDING_SECONDS:
        return found
    request.session.pop(PENDING, None)
    return None


def _let_in(request: HttpRequest, staff: StaffMember, factor: str, address: str) -> HttpResponse:
    """Both factors were proved: a new session key, the session of staff that carries it, and on to the page."""
    del request.session[PENDING]
    login(request, staff, backend="django.contrib.auth.backends.ModelBackend")
    request.session.save()
    opened = open_session(staff, factor=factor, visit=visit_of(request), key=request.session.session_key)
    request.session[STAFF_SESSION] = str(opened.pk)
    return redirect(_safe(request, address))


def _safe(request: HttpRequest, address: str) -> str:
    """Only an address of this console is gone to."""
    if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return address
    return "/"
