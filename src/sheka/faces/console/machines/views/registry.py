"""The registry of encryption machines: which one an organisation uses, by what certificate, for how long (K4)."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.forms import Sheet
from sheka.faces.console.lists import Column, Listing, Select, Stamp, Text, show_list
from sheka.faces.console.machines.forms import CertificateForm, TrustForm, WithdrawForm
from sheka.faces.console.telling import told
from sheka.faces.console.templatetags.look import mixed
from sheka.faces.console.words import language
from sheka.foundation.refusals import Refused
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.actions.propose_certificate import propose_certificate, propose_withdrawal
from sheka.systems.keys.actions.register_machine import register_machine, trust_machine
from sheka.systems.keys.labels import MACHINE_STATES, MACHINE_TONES
from sheka.systems.keys.models import Machine
from sheka.systems.keys.queries import machines as machines_near

SOON = 90
"""Days left from which a certificate stands out."""


def state_of(row: Machine) -> Stamp:
    """Certified, ending soon, ended, without a certificate, or retired."""
    left = row.days_left(timezone.localdate())
    if left is not None and left < 0:
        return Stamp(_("Certificate ended"), "stop")
    if left is not None and left <= SOON:
        return Stamp(_("Certificate ends soon"), "wait")
    return Stamp(MACHINE_STATES[row.state].text(language()), MACHINE_TONES[row.state])


def days_left(row: Machine) -> str:
    """So many days to the last day of the certificate, or since it."""
    left = row.days_left(timezone.localdate())
    if left is None:
        return ""
    if left < 0:
        return ngettext("ended %(n)s day ago", "ended %(n)s days ago", -left) % {"n": -left}
    return ngettext("%(n)s day left", "%(n)s days left", left) % {"n": left}


MACHINES = Listing(
    name="machines",
    title=_("Encryption machines"),
    lede=_("A machine does production work while its product type certificate is in force, and not a day longer."),
    rows=machines_near,
    default_sort="place",
    columns=[
        Column(
            "place",
            _("Organisation"),
            lambda row: row.organisation.label(language()),
            sort="organisation__path",
            link=lambda row: reverse("console:machines_one", args=[row.organisation_id]),
        ),
        Column("model", pgettext_lazy("machine", "Model"), lambda row: mixed(row.model or row.product), sort="model"),
        Column(
            "serial", pgettext_lazy("machine", "Serial number"), lambda row: row.serial, sort="serial", kind="number"
        ),
        Column(
            "certificate",
            pgettext_lazy("machine", "Certificate"),
            lambda row: row.certificate,
            sort="certificate",
            kind="number",
        ),
        Column(
            "until",
            pgettext_lazy("machine", "Valid until"),
            lambda row: row.valid_until,
            sort="valid_until",
            kind="whole",
        ),
        Column("left", pgettext_lazy("machine", "Days left"), days_left, sort="production_until", kind="whole"),
        Column("state", _("State"), state_of, sort="state"),
    ],
    filters=[
        Text("text", _("Model, serial number or certificate"), ("model", "serial", "certificate", "product")),
        Select(
            "state",
            _("State"),
            lambda actor: [(key, term.text(language())) for key, term in MACHINE_STATES.items()],
            "state",
        ),
    ],
    empty_title=_("No machine"),
    empty_text=_("A key officer registers the machine of the organisation; it appears here."),
)


@opens(Permission.MACHINE_VIEW)
@require_safe
def machines(request: HttpRequest) -> HttpResponse:
    """The machines of the reader's organisation, of its superior and of those below."""
    own = machines_near(request.actor).filter(organisation_id=request.actor.organisation).exists()
    may_register = not own and request.actor.may(Permission.KEY_DISTRIBUTE)
    return show_list(request, MACHINES, "console/machines/machines.html", may_register=may_register)


@opens(Permission.MACHINE_VIEW)
@require_safe
def machine(request: HttpRequest, code: str) -> HttpResponse:
    """One machine: plate, device key, certificate, keys that stand still."""
    row, actor = _row(request.actor, code), request.actor
    own = row.organisation_id == actor.organisation
    context = {
        "machine": row,
        "state": state_of(row),
        "left": days_left(row),
        "own": own,
        "may_manage": own and row.state != "retired" and actor.may(Permission.MACHINE_MANAGE),
        "may_register": own and actor.may(Permission.KEY_DISTRIBUTE),
        "may_trust": not own and actor.may(Permission.KEY_DISTRIBUTE),
    }
    return render(request, "console/machines/machine.html", context)


@opens(Permission.KEY_DISTRIBUTE)
@require_POST
def register(request: HttpRequest) -> HttpResponse:
    """Read the device key of the own machine into the registry."""
    row = register_machine(request.actor)
    messages.success(request, _("The machine is registered by its device key."), extra_tags="good")
    return redirect("console:machines_one", row.organisation_id)


@opens(Permission.MACHINE_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def certificate(request: HttpRequest) -> HttpResponse:
    """A certificate, or its renewal, for the own machine: a request that another person approves."""
    row = _row(request.actor, request.actor.organisation)
    kept = {name: getattr(row, name) or "" for name in ("model", "serial", "place", "supplier", "certificate", "level")}
    form = CertificateForm(request.POST if request.method == "POST" else None, initial=kept)
    return _asked(request, row, form, _("Certificate of the machine"), propose_certificate)


@opens(Permission.MACHINE_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest) -> HttpResponse:
    """The own machine goes out of service: a request that another person approves."""
    row = _row(request.actor, request.actor.organisation)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    return _asked(request, row, form, _("Retire the machine"), propose_withdrawal)


@opens(Permission.KEY_DISTRIBUTE)
@require_http_methods(["GET", "HEAD", "POST"])
def trust(request: HttpRequest, code: str) -> HttpResponse:
    """Keys may go to this machine, or come from it, once its fingerprint was compared by another way."""
    row, problem = _row(request.actor, code), None
    posted = request.method == "POST"
    form = TrustForm(request.POST if posted else None)
    if posted and form.is_valid():
        try:
            trust_machine(request.actor, of=code, fingerprint=form.cleaned_data["fingerprint"])
        except Refused as refusal:
            problem = told(refusal)
        else:
            messages.success(request, _("The machines know each other."), extra_tags="good")
            return redirect("console:machines_one", code)
    return _page(request, row, form, _("Trust the machine"), problem)


def _asked(
    request: HttpRequest, row: Machine, form: Sheet, title: object, propose: Callable[..., object]
) -> HttpResponse:
    problem = None
    if request.method == "POST" and form.is_valid():
        try:
            made = propose(request.actor, **form.cleaned_data)
        except Refused as refusal:
            problem = told(refusal)
        else:
            messages.success(request, _("The request waits for an approver."), extra_tags="good")
            return redirect("console:approvals_one", made.pk)  # type: ignore[attr-defined]
    return _page(request, row, form, title, problem)


def _page(request: HttpRequest, row: Machine, form: Sheet, title: object, problem: object) -> HttpResponse:
    context = {"machine": row, "form": form, "title": title, "problem": problem}
    return render(request, "console/machines/ask.html", context, status=422 if problem or form.errors else 200)


def _row(actor: Actor, code: str) -> Machine:
    row = machines_near(actor).filter(organisation_id=code).first()
    if row is None:
        raise Http404
    return row
