"""Files of deposits: sent, checked, released, booked; the lines that were refused (S6)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.accounts.forms import FileForm
from sheka.faces.console.accounts.words import choices, fault_told, refusal_word, said
from sheka.faces.console.doors import opens, polled
from sheka.faces.console.forms import PlainForm, ReasonForm
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text, show_list
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Refused
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.receive_deposit_file import (
    receive_deposit_file,
    release_deposit_file,
    withdraw_deposit_file,
)
from sheka.systems.accounts.labels import FILE_STATES, FILE_TONES
from sheka.systems.accounts.models import DepositFile
from sheka.systems.accounts.queries_of_pages import deposit_file_named, deposit_files, refused_lines

SHOWN = 100
"""Refused lines on the page."""


def _state(row: DepositFile) -> Stamp:
    return Stamp(said(FILE_STATES[row.state]), FILE_TONES[row.state])


FILES = Listing(
    name="deposit-files",
    title=_("Files of deposits"),
    lede=_("The monthly allocation: checked as a whole, released, then booked line by line, each once."),
    rows=deposit_files,
    default_sort="-received",
    columns=[
        Column(
            "number",
            _("File number"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=lambda row: reverse("console:accounts_file", args=[row.number]),
        ),
        Column("sender", _("Sender's number"), lambda row: row.sender_number, sort="sender_number", kind="number"),
        Column("period", _("Period"), lambda row: row.period, sort="period", kind="number"),
        Column("state", _("State"), _state, sort="state"),
        Column("lines", pgettext_lazy("accounts", "Lines"), lambda row: row.lines, sort="lines", kind="amount"),
        Column("total", _("Total"), lambda row: row.total, sort="total", kind="money"),
        Column("booked", pgettext_lazy("accounts", "Booked"), lambda row: row.booked, sort="booked", kind="amount"),
        Column("refused", _("Refused lines"), lambda row: row.refused, sort="refused", kind="amount"),
        Column("received", _("Received at"), lambda row: row.received_at, sort="received_at", kind="whole"),
    ],
    filters=[
        Select("state", _("State"), choices(FILE_STATES), "state", all=_("All states")),
        Text("period", _("Period"), ("period",), "startswith"),
        Days("received", _("Received"), "received_at", moments=True),
    ],
    empty_title=_("No files of deposits"),
    empty_text=_("A file appears here when it is sent, from this page or from the server."),
)


REFUSED = Listing(
    name="deposit-refusals",
    title=_("Refused lines of deposits"),
    lede=_("What was not booked, with the reason of each line; the sender puts it right in a file of its own."),
    caption=_("Account numbers of refused lines are masked."),
    rows=refused_lines,
    default_sort="line",
    columns=[
        Column("line", _("Line"), lambda row: row.line, sort=("-file_id", "line"), kind="amount"),
        Column(
            "file",
            _("File number"),
            lambda row: row.file.number,
            kind="number",
            link=lambda row: reverse("console:accounts_file", args=[row.file.number]),
        ),
        Column("sender", _("Sender's number"), lambda row: row.file.sender_number, kind="number"),
        Column("account", pgettext_lazy("accounts", "Account"), lambda row: row.subject or None, kind="number"),
        Column("amount", _("Amount"), lambda row: row.amount, kind="money"),
        Column("reference", _("Reference"), lambda row: row.reference, kind="whole"),
        Column("why", _("Why"), lambda row: refusal_word(row.refusal), kind="whole"),
        Column(
            "number", pgettext_lazy("refusals", "No."), lambda row: str(row.refusal), sort=("refusal",), kind="number"
        ),
    ],
    filters=[
        Text("file", _("File number"), ("file__number",), "exact"),
        Text("period", _("Period"), ("file__period",), "startswith"),
    ],
    empty_title=_("No refused lines"),
    empty_text=_("A line appears here when the check of its file, or the ledger, refuses it."),
    personal=True,
)


@opens(Permission.ACCOUNT_VIEW)
@require_safe
def refused(request: HttpRequest) -> HttpResponse:
    """Refused lines, of one file or of all: the answer for who sent them, as a page or a file."""
    return show_list(request, REFUSED)


@opens(Permission.ACCOUNT_VIEW)
@require_safe
def files(request: HttpRequest) -> HttpResponse:
    """Files of the reader's organisation."""
    return show_list(request, FILES, "console/accounts/files.html", may_send=request.actor.may(Permission.ACCOUNT_FILE))


@opens(Permission.ACCOUNT_FILE)
@require_http_methods(["GET", "HEAD", "POST"])
def send(request: HttpRequest) -> HttpResponse:
    """Send a file; it is checked in the background."""
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    problem, status = None, 200
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data["file"]
        try:
            row = receive_deposit_file(request.actor, name=sent.name, content=sent.read())
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            return redirect("console:accounts_file", number=row.number)
    context = {"form": form, "problem": problem}
    return render(request, "console/accounts/send.html", context, status=422 if form.errors else status)


@opens(Permission.ACCOUNT_VIEW)
@require_safe
def file(request: HttpRequest, number: str) -> HttpResponse:
    """One file: how far it is, its totals, the lines that were refused."""
    row = deposit_file_named(request.actor, number)
    refused = row.rows.exclude(refusal=0).order_by("line")[:SHOWN]
    fault = fault_told(row.fault) if row.fault else None
    context = _standing(row) | {
        "fault": told(fault) if fault else None,
        "refused": [(line, refusal_word(line.refusal)) for line in refused],
        "more": row.refused > SHOWN,
        "may_file": request.actor.may(Permission.ACCOUNT_FILE) and row.state == "ready",
        "release_form": PlainForm(),
    }
    return render(request, "console/accounts/file.html", context)


@opens(Permission.ACCOUNT_VIEW)
@polled
@require_safe
def state(request: HttpRequest, number: str) -> HttpResponse:
    """How far a file is, for its own page."""
    row = deposit_file_named(request.actor, number)
    answer = render(request, "console/accounts/file_state.html", _standing(row))
    if row.state not in ("received", "booking"):
        answer["HX-Refresh"] = "true"
    return answer


@opens(Permission.ACCOUNT_FILE)
@require_http_methods(["GET", "HEAD", "POST"])
def verb(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """Release a file, or withdraw it with a reason."""
    if verb not in ("release", "withdraw"):
        raise Http404
    row = deposit_file_named(request.actor, number)
    kind: Any = PlainForm if verb == "release" else ReasonForm
    form, problem, status = kind(request.POST if request.method == "POST" else None), None, 200
    if request.method == "POST" and form.is_valid():
        try:
            if verb == "release":
                release_deposit_file(request.actor, number=number)
                messages.success(request, gettext("Released; the lines are being booked."), extra_tags="good")
            else:
                withdraw_deposit_file(request.actor, number=number, reason=form.cleaned_data["text"])
                messages.success(request, gettext("The file is withdrawn."), extra_tags="good")
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            return redirect("console:accounts_file", number=number)
    context = _standing(row) | {"verb": verb, "form": form, "problem": problem}
    return render(request, "console/accounts/file_verb.html", context, status=422 if form.errors else status)


def _standing(row: DepositFile) -> dict[str, Any]:
    """What its page and its progress show of a file."""
    due = row.lines - row.refused
    return {
        "file": row,
        "stamp": _state(row),
        "running": row.state in ("received", "booking"),
        "due": due,
        "due_total": row.total - row.refused_total,
    }
