"""The own second factors: authenticators, security keys, recovery codes. Each change asks for presence first."""

from __future__ import annotations

import secrets
from io import BytesIO

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.faces.console.account.confirm import confirm
from sheka.faces.console.account.forms import CodeForm, LabelForm
from sheka.faces.console.doors import open_to_staff
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Refused
from sheka.office.staff.actions.own_account import (
    add_authenticator,
    add_security_key,
    begin_authenticator,
    change_digest,
    make_recovery_codes,
    remove_device,
)
from sheka.office.staff.factors import authenticator_address, authenticator_secret
from sheka.office.staff.queries import pending_device
from sheka.office.staff.security_keys import registration_options

CHALLENGE = "key_challenge"


@open_to_staff
@require_POST
def authenticator(request: HttpRequest) -> HttpResponse:
    """Begin with a new authenticator: its QR code is shown on this answer and the ones to its code, nowhere else."""
    label = LabelForm(request.POST)
    if not label.is_valid():
        messages.error(request, _("Give the device a name"), extra_tags="stop")
        return redirect("console:account")
    page = confirm(request, change_digest(request.actor, "add_authenticator"), _("A further authenticator"))
    if page is not None:
        return page
    device = begin_authenticator(request.actor, label=label.cleaned_data["label"])
    return render(request, "console/account/authenticator.html", {"form": CodeForm(), **qr_of(device)})


@open_to_staff
@require_POST
def confirm_authenticator(request: HttpRequest) -> HttpResponse:
    """The first code of the new authenticator."""
    form, problem = CodeForm(request.POST), None
    if form.is_valid():
        try:
            add_authenticator(request.actor, code=form.cleaned_data["code"])
        except Refused as refusal:
            problem = told(refusal)
        else:
            messages.success(request, _("The authenticator is registered."), extra_tags="good")
            return redirect("console:account")
    device = pending_device(request.user)
    if device is None:
        return redirect("console:account")
    context = {"form": form, "problem": problem, **qr_of(device)}
    return render(request, "console/account/authenticator.html", context, status=401 if problem else 200)


@open_to_staff
@require_POST
def key(request: HttpRequest) -> HttpResponse:
    """Begin with a new security key: presence, then what the browser asks the key for."""
    label = LabelForm(request.POST)
    if not label.is_valid():
        messages.error(request, _("Give the device a name"), extra_tags="stop")
        return redirect("console:account")
    page = confirm(request, change_digest(request.actor, "add_key"), _("A further security key"))
    if page is not None:
        return page
    challenge = secrets.token_bytes(32)
    request.session[CHALLENGE] = challenge.hex()
    options = registration_options(request.user, challenge)
    context = {"options": options, "label": label.cleaned_data["label"]}
    return render(request, "console/account/key.html", context)


@open_to_staff
@require_POST
def register_key(request: HttpRequest) -> HttpResponse:
    """What the new key answered."""
    challenge = bytes.fromhex(request.session.pop(CHALLENGE, ""))
    answer, label = request.POST.get("answer", ""), request.POST.get("label", "")
    add_security_key(request.actor, challenge=challenge, answer=answer, label=label)
    messages.success(request, _("The security key is registered."), extra_tags="good")
    return redirect("console:account")


@open_to_staff
@require_POST
def remove(request: HttpRequest, kind: str, number: int) -> HttpResponse:
    """Remove a device; never the last one."""
    digest = change_digest(request.actor, "remove", kind=kind, number=number)
    page = confirm(request, digest, _("Removal of a device"))
    if page is not None:
        return page
    remove_device(request.actor, kind=kind, number=number)
    messages.success(request, _("The device is removed: it opens nothing any more."), extra_tags="good")
    return redirect("console:account")


@open_to_staff
@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """A fresh sheet of recovery codes, shown on this answer only."""
    page = confirm(request, change_digest(request.actor, "recovery"), _("A new sheet of recovery codes"))
    if page is not None:
        return page
    return render(request, "console/account/recovery_codes.html", {"codes": make_recovery_codes(request.actor)})


def qr_of(device: TOTPDevice) -> dict[str, object]:
    """The QR code that an authenticator reads, as SVG without inline style, and the same in letters."""
    drawn = BytesIO()
    segno.make(authenticator_address(device), micro=False).save(
        drawn, kind="svg", scale=5, border=4, xmldecl=False, svgns=True, light="#fff"
    )
    svg = mark_safe(drawn.getvalue().decode())  # noqa: S308 - drawn here, nothing of it was typed
    return {"qr": svg, "secret": authenticator_secret(device)}
