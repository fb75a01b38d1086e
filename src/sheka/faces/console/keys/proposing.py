"""Asking for a step in the life of keys: generation, export, activation, retirement, destruction (K2, K3, K6).

Nothing happens to a key here: the request goes to an approver, and what was approved is carried out in a ceremony.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from sheka.faces.console.doors import opens
from sheka.faces.console.keys.forms import DestroyForm, ExportForm, RetireForm, SetForm
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Refused
from sheka.office.approvals.models import Proposal
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.actions.propose_generation import propose_generation
from sheka.systems.keys.actions.propose_key_step import (
    propose_activation,
    propose_destruction,
    propose_export,
    propose_retirement,
)


@dataclass(frozen=True, slots=True)
class Asking:
    """A page that asks: its title, what comes of it, the form, the action, and whether a ceremony carries it out."""

    title: Promise
    lede: Promise
    form: type[SetForm]
    propose: Callable[..., Proposal]
    in_ceremony: bool = True


ASKINGS = {
    "generate": Asking(
        _("Ask to generate keys"),
        _("All keys that belong to this level are made inside the machine. A higher version is a rotation."),
        SetForm,
        propose_generation,
    ),
    "export": Asking(
        _("Ask to export sub-keys"),
        _("Every key held here is diversified for a direct subordinate and written to a transmission key card."),
        ExportForm,
        propose_export,
    ),
    "activate": Asking(
        _("Ask to activate keys"),
        _("New cards get the newest version that is active as a whole; cards with an older one go on working."),
        SetForm,
        propose_activation,
    ),
    "retire": Asking(
        _("Ask to retire keys"),
        _("When the request is approved they are out of use: no unexpired card and no level below may need them."),
        RetireForm,
        propose_retirement,
        in_ceremony=False,
    ),
    "destroy": Asking(
        _("Ask to destroy keys"),
        _("Retired keys are wiped from the machine. Nothing brings them back."),
        DestroyForm,
        propose_destruction,
    ),
}


@opens(Permission.KEY_PROPOSE)
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, step: str) -> HttpResponse:
    """The form of a step, and the request that it makes."""
    asking = ASKINGS.get(step)
    if asking is None:
        raise Http404
    posted = request.method == "POST"
    form, problem = asking.form(request.POST if posted else None, actor=request.actor), None
    if posted and form.is_valid():
        try:
            made = asking.propose(request.actor, **form.given())
        except Refused as refusal:
            problem = told(refusal)
        else:
            messages.success(request, _("The request waits for an approver."), extra_tags="good")
            return redirect("console:approvals_one", made.pk)
    context = {"asking": asking, "form": form, "problem": problem}
    return render(request, "console/keys/ask.html", context, status=422 if problem or form.errors else 200)
