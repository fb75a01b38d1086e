"""Clients: the list, one of them, making one, a new secret, the end. A secret is shown once, where it was made."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.clients.forms import EndForm, MakeForm, RotateForm
from sheka.faces.console.clients.lists import CLIENTS, scope_words, state_of
from sheka.faces.console.doors import opens
from sheka.faces.console.lists import show_list
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Refused
from sheka.office.clients.actions.end_client import end_client
from sheka.office.clients.actions.make_client import make_client
from sheka.office.clients.actions.rotate_secret import rotate_secret
from sheka.office.clients.models import Client
from sheka.office.clients.policy import client_policy
from sheka.office.clients.queries import client_named
from sheka.office.staff.permissions import Permission


@opens(Permission.CLIENT_MANAGE)
@require_safe
def clients(request: HttpRequest) -> HttpResponse:
    """The clients of the reader's organisations."""
    return show_list(request, CLIENTS, "console/clients/clients.html")


@opens(Permission.CLIENT_MANAGE)
@require_safe
def client(request: HttpRequest, code: str) -> HttpResponse:
    """One client: what it may, until when, which of its secrets work."""
    found = client_named(request.actor, code)
    context = {
        "client": found,
        "state": state_of(found),
        "scopes": scope_words(found),
        "secrets": [(row, _works(row.valid_until)) for row in found.secrets.all()],
        "open": found.state_on(timezone.localdate()) == "active",
    }
    return render(request, "console/clients/client.html", context)


@opens(Permission.CLIENT_MANAGE)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def make(request: HttpRequest) -> HttpResponse:
    """A new client; the answer shows its secret, once."""
    form, problem = MakeForm(request.POST if request.method == "POST" else None, actor=request.actor), None
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = make_client(request.actor, **form.given())
        except Refused as refusal:
            problem = told(refusal)
        else:
            return _shown(request, made, secret)
    return _asked(request, "console/clients/make.html", {"form": form, "problem": problem})


@opens(Permission.CLIENT_MANAGE)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: HttpRequest, code: str) -> HttpResponse:
    """A new secret beside the earlier one, or instead of it."""
    found = client_named(request.actor, code)
    form, problem = RotateForm(request.POST if request.method == "POST" else None), None
    if request.method == "POST" and form.is_valid():
        try:
            secret = rotate_secret(request.actor, code=code, at_once=form.cleaned_data["at_once"])
        except Refused as refusal:
            problem = told(refusal)
        else:
            return _shown(request, found, secret)
    context = {"form": form, "problem": problem, "client": found, "days": client_policy().overlap.days}
    return _asked(request, "console/clients/rotate.html", context)


@opens(Permission.CLIENT_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, code: str) -> HttpResponse:
    """The end of a client, with its reason."""
    found = client_named(request.actor, code)
    form, problem = EndForm(request.POST if request.method == "POST" else None), None
    if request.method == "POST" and form.is_valid():
        try:
            end_client(request.actor, code=code, reason=form.cleaned_data["text"])
        except Refused as refusal:
            problem = told(refusal)
        else:
            messages.success(
                request, _("The client has ended; its secrets and tokens open nothing."), extra_tags="good"
            )
            return redirect("console:clients_one", code)
    return _asked(request, "console/clients/end.html", {"form": form, "problem": problem, "client": found})


def _shown(request: HttpRequest, made: Client, secret: str) -> HttpResponse:
    return render(request, "console/clients/secret.html", {"client": made, "secret": secret})


def _asked(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    problem, form = context["problem"], context["form"]
    return render(request, template, context, status=422 if problem or form.errors else 200)


def _works(until: object) -> str:
    """Whether a secret works: without an end, until a moment to come, or no longer."""
    if until is None:
        return "now"
    return "until" if until > timezone.now() else "ended"
