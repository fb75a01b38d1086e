"""Signing in with password and second factor, and signing out."""

from __future__ import annotations

import time

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.faces.console.doors import at_the_door
from sheka.faces.console.forms import CodeForm, SignInForm
from sheka.faces.console.telling import told
from sheka.faces.console.visits import STAFF_SESSION, visit_of
from sheka.foundation.refusals import Refused
from sheka.office.staff.models import StaffMember
from sheka.office.staff.proofs import CODE, prove_code
from sheka.office.staff.sign_in import check_password, close_session, code_shown_in_demo, open_session

PENDING = "sign_in_pending"
PENDING_SECONDS = 300


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
            request.session[PENDING] = {"staff": staff.pk, "at": time.time(), "next": request.POST.get("next", "")}
            return redirect("console:second_factor")
    context = {"form": form, "problem": problem, "next": request.POST.get("next") or request.GET.get("next", "")}
    return render(request, "console/sign_in.html", context, status=401 if problem else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Second step: the one-time code. In the demo the page shows it."""
    pending = request.session.get(PENDING)
    if not pending or time.time() - pending["at"] > PENDING_SECONDS:
        request.session.pop(PENDING, None)
        return redirect(settings.LOGIN_URL)
    staff = StaffMember.objects.get(pk=pending["staff"])
    form = CodeForm(request.POST if request.method == "POST" else None)
    problem = None
    if request.method == "POST" and form.is_valid():
        try:
            prove_code(staff, form.cleaned_data["code"], visit_of(request))
        except Refused as refusal:
            problem = told(refusal)
        else:
            request.session.pop(PENDING, None)
            let_in(request, staff, CODE)
            return redirect(_safe(request, pending["next"]))
    context = {"form": form, "problem": problem, "staff": staff}
    if settings.DEMO:
        context |= {"shown": code_shown_in_demo(staff), "wait": _seconds_to_next_code(staff)}
    return render(request, "console/second_factor.html", context, status=401 if problem else 200)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        close_session(request.user, request.session.get(STAFF_SESSION, ""))
    logout(request)
    return redirect(settings.LOGIN_URL)


def let_in(request: HttpRequest, staff: StaffMember, factor: str) -> None:
    """Both factors were proved: a new session key, and the session of staff that carries it."""
    login(request, staff, backend="django.contrib.auth.backends.ModelBackend")
    request.session.save()
    opened = open_session(staff, factor=factor, visit=visit_of(request), key=request.session.session_key)
    request.session[STAFF_SESSION] = str(opened.pk)


def _seconds_to_next_code(staff: StaffMember) -> int:
    """Each code counts once: how long the demo's reader has to wait when the present one was used already, else 0."""
    device = TOTPDevice.objects.filter(user=staff, confirmed=True).first()
    if device is None:
        return 0
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    clock.time = time.time()
    return 0 if clock.t() > device.last_t else device.step - int(clock.time - device.t0) % device.step


def _safe(request: HttpRequest, address: str) -> str:
    """Only an address of this console is gone to."""
    if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return address
    return "/"


for _view in (sign_in, second_factor, sign_out):
    at_the_door(_view)
