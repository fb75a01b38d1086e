"""Starting an account with an enrolment code: the person's own password, then a second factor (ASVS 6.4.1, 6.4.6)."""

from __future__ import annotations

import secrets
import time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from sheka.faces.console.account.devices import qr_of
from sheka.faces.console.account.forms import (
    CodeForm,
    EnrolForm,
    ForgottenPasswordForm,
    LabelForm,
    NewPasswordForm,
    OldPasswordForm,
)
from sheka.faces.console.doors import at_the_door
from sheka.faces.console.telling import told
from sheka.faces.console.visits import visit_of
from sheka.foundation.refusals import Refused
from sheka.office.staff.enrolment import (
    Lost,
    choose_password,
    enrol_authenticator,
    enrol_key,
    enrolment,
    prove_old_password,
    redeem,
)
from sheka.office.staff.models import EnrolmentCode
from sheka.office.staff.queries import pending_device
from sheka.office.staff.security_keys import registration_options

PENDING = "enrolment"
PENDING_SECONDS = 1800
CHALLENGE_BYTES = 32


@at_the_door
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """The log-in name and the code from the security administrator."""
    form = EnrolForm(request.POST if request.method == "POST" else None)
    problem = None
    if request.method == "POST" and form.is_valid():
        try:
            begun = redeem(form.cleaned_data["login"], form.cleaned_data["code"], visit_of(request))
        except Refused as refusal:
            problem = told(refusal)
        else:
            request.session.cycle_key()
            challenge = secrets.token_hex(CHALLENGE_BYTES)
            request.session[PENDING] = {"code": begun.pk, "at": time.time(), "challenge": challenge, "proved": False}
            return redirect("console:account_enrol_password")
    return _page(request, "enrol", problem, form=form)


@at_the_door
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """The new password; or the present one, where only the second factor was lost."""
    begun = _begun(request)
    if begun is None:
        return redirect("console:account_enrol")
    kinds = {Lost.PASSWORD: ForgottenPasswordForm, Lost.FACTORS: OldPasswordForm, Lost.ALL: NewPasswordForm}
    form = kinds[Lost(begun.lost)](request.POST if request.method == "POST" else None)
    problem = None
    if request.method == "POST" and form.is_valid():
        try:
            if begun.lost == Lost.FACTORS:
                prove_old_password(begun, form.cleaned_data["password"], visit_of(request))
            else:
                code = form.cleaned_data.get("code", "")
                choose_password(begun, form.cleaned_data["new"], visit_of(request), code=code)
        except Refused as refusal:
            problem = told(refusal)
        else:
            return _on(request, begun)
    return _page(request, "enrol_password", problem, form=form, begun=begun)


@at_the_door
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def device(request: HttpRequest) -> HttpResponse:
    """An authenticator by its QR code, or a security key."""
    begun = _begun(request)
    if begun is None or not request.session[PENDING]["proved"]:
        return redirect("console:account_enrol")
    form = CodeForm(request.POST if request.method == "POST" else None)
    problem = None
    if request.method == "POST" and form.is_valid():
        try:
            enrol_authenticator(begun, form.cleaned_data["code"])
            return _done(request)
        except Refused as refusal:
            problem = told(refusal)
    return _device_page(request, begun, form, problem)


@at_the_door
@never_cache
@require_POST
def key(request: HttpRequest) -> HttpResponse:
    """The answer of a security key."""
    begun = _begun(request)
    if begun is None or not request.session[PENDING]["proved"]:
        return redirect("console:account_enrol")
    label, problem = LabelForm(request.POST), None
    if label.is_valid():
        try:
            challenge = bytes.fromhex(request.session[PENDING]["challenge"])
            enrol_key(begun, challenge, request.POST.get("answer", ""), label.cleaned_data["label"])
            return _done(request)
        except Refused as refusal:
            problem = told(refusal)
    return _device_page(request, begun, CodeForm(), problem)


def _begun(request: HttpRequest) -> EnrolmentCode | None:
    """The enrolment that this browser is in the middle of."""
    found = request.session.get(PENDING)
    if not found or time.time() - found["at"] > PENDING_SECONDS:
        return None
    try:
        return enrolment(found["code"])
    except Refused:
        del request.session[PENDING]
        return None


def _on(request: HttpRequest, begun: EnrolmentCode) -> HttpResponse:
    """To the second factor, unless the one that is held stays."""
    if begun.lost == Lost.PASSWORD:
        return _done(request)
    request.session[PENDING] |= {"proved": True}
    request.session.modified = True
    return redirect("console:account_enrol_device")


def _done(request: HttpRequest) -> HttpResponse:
    del request.session[PENDING]
    messages.success(request, _("Your account is ready. Sign in with your password and your second factor."))
    return redirect("console:sign_in")


def _device_page(request: HttpRequest, begun: EnrolmentCode, form: CodeForm, problem: object) -> HttpResponse:
    challenge = bytes.fromhex(request.session[PENDING]["challenge"])
    options = registration_options(begun.staff, challenge)
    offered = pending_device(begun.staff)
    qr = qr_of(offered) if offered else {}
    return _page(request, "enrol_device", problem, form=form, label=LabelForm(), options=options, **qr)


def _page(request: HttpRequest, name: str, problem: object, **context: Any) -> HttpResponse:
    status = 401 if problem else 200
    return render(request, f"console/account/{name}.html", {"problem": problem, **context}, status=status)
