"""Unsealing: how many custodians have come to the organisation's machine, and the reader's own share (K6).

The share is sealed to the machine in the browser (static/console/sealed_entry.js); this process passes it on unread.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sheka.equipment.encryption_machine.model import MachineInfo
from sheka.faces.console.doors import opens, polled
from sheka.faces.console.telling import Told, told
from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.actions.unseal_machine import unseal_machine
from sheka.systems.keys.unsealing import entry_key_for, seal_of

SPACING = 56


@sensitive_post_parameters("sealed")
@opens(Permission.MACHINE_UNSEAL)
@require_http_methods(["GET", "HEAD", "POST"])
def unseal(request: HttpRequest) -> HttpResponse:
    """The seal of the reader's machine; POST hands in a share."""
    if request.method != "POST":
        return _page(request)
    try:
        progress = unseal_machine(request.actor, **_given(request))
    except Refused as refusal:
        return _page(request, problem=told(refusal), status=refusal.http)
    told_now = _("Your share has come.") if progress.sealed else _("The machine is open.")
    messages.success(request, told_now, extra_tags="good")
    return redirect("console:machines_unseal")


@polled
@opens(Permission.MACHINE_UNSEAL)
@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """How far it has come; the page is opened anew when the machine was opened or sealed meanwhile."""
    context = _seal(request)
    if request.GET.get("seen") != context["seen"]:
        moved = HttpResponse(status=200)
        moved["HX-Refresh"] = "true"
        return moved
    return render(request, "console/machines/progress.html", context)


@opens(Permission.MACHINE_UNSEAL)
@require_POST
def entry_key(request: HttpRequest) -> HttpResponse:
    """A one-time key of the machine for the share that the reader enters now."""
    key = entry_key_for(request.actor)
    return JsonResponse({"entry": key.id.hex(), "public_key": key.public_key.hex()})


def _page(request: HttpRequest, *, problem: Told | None = None, status: int = 200) -> HttpResponse:
    context = _seal(request)
    return render(
        request,
        "console/machines/unseal.html",
        {**context, "problem": problem or context["unreached"], "holder": request.POST.get("holder", "")},
        status=status,
    )


def _seal(request: HttpRequest) -> dict[str, Any]:
    """What the pages show; a machine that cannot be reached is told as a refusal."""
    try:
        info = seal_of(request.actor)
    except Refused as refusal:
        return {"seal": None, "unreached": told(refusal), "seen": "away"}
    return {
        "seal": info,
        "unreached": None,
        "holders": _holders(info),
        "width": SPACING * info.holders,
        "seen": "sealed" if info.sealed else "open",
    }


def _holders(info: MachineInfo) -> list[dict[str, Any]]:
    """A circle for each holder: its number, where it stands, whether its share has come."""
    return [
        {"number": number, "x": SPACING * (number - 1) + SPACING // 2, "came": not info.sealed or number in info.came}
        for number in range(1, info.holders + 1)
    ]


def _given(request: HttpRequest) -> dict[str, Any]:
    holder = request.POST.get("holder", "").strip()
    if not holder.isdecimal() or not 1 <= int(holder) <= 255:
        raise Refused(Code.MACHINE_SHARE_WRONG, holder=holder[:8] or "?")
    try:
        entry, sealed = (bytes.fromhex(request.POST.get(name, "")) for name in ("entry", "sealed"))
    except ValueError:
        raise Refused(Code.MACHINE_ENTRY_UNREADABLE, what="form") from None
    return {"holder": int(holder), "entry": entry, "sealed": sealed}
