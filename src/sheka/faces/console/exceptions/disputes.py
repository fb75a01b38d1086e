"""The counter takes a citizen's dispute: card, transaction, what is wrong; and how the own ones stand (S10)."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.exceptions.forms import DisputeForm, LookForm, in_fen
from sheka.faces.console.exceptions.words import due_stamp, said, state_stamp
from sheka.faces.console.filters import Days
from sheka.faces.console.lists import Column, Listing, Select, show_list
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Refused
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.actions.open_dispute import disputable_of_card, open_dispute
from sheka.systems.exceptions.labels import COMPLAINTS
from sheka.systems.exceptions.queries import disputes_of
from sheka.systems.exceptions.states import STATE_WORDS
from sheka.systems.transactions.labels import KINDS

OWN = Listing(
    name="disputes",
    title=gettext_lazy("Disputes taken here"),
    lede=gettext_lazy("What citizens disputed at this counter, and how it stands. The citizen is told by who took it."),
    rows=disputes_of,
    columns=[
        Column(
            "number",
            gettext_lazy("Number"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=lambda row: reverse("console:exceptions_one", args=[row.number]),
        ),
        Column("complaint", gettext_lazy("What is wrong"), lambda row: said(COMPLAINTS[row.dispute.complaint])),
        Column("amount", gettext_lazy("Claimed"), lambda row: row.dispute.claimed, sort="amount", kind="money"),
        Column("state", gettext_lazy("State"), state_stamp, sort="state"),
        Column("due", gettext_lazy("Deadline"), lambda row: due_stamp(row) or "", sort="due_on"),
        Column("opened", gettext_lazy("Opened"), lambda row: row.opened_at, sort="opened_at", kind="whole"),
    ],
    filters=[
        Select(
            "state",
            gettext_lazy("State"),
            lambda actor: [(name, said(word)) for name, word in STATE_WORDS.items()],
            "state",
        ),
        Days("opened", gettext_lazy("Opened"), "opened_at", moments=True),
    ],
    default_sort="-opened",
    empty_title=gettext_lazy("No disputes"),
    empty_text=gettext_lazy("A dispute that is taken here appears with its deadline."),
    size=25,
)


@opens(Permission.EXCEPTION_DISPUTE)
@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """The disputes of the reader's own place."""
    return show_list(request, OWN, "console/exceptions/disputes.html")


@opens(Permission.EXCEPTION_DISPUTE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """First the card, then one of its transactions with what is wrong; no number of a card is in an address."""
    posted = request.POST if request.method == "POST" else None
    look = LookForm(posted, prefix="look")
    rows: list[Any] = []
    problem, form = None, None
    if posted is not None and look.is_valid():
        card = look.cleaned_data["card"].upper()
        try:
            rows = disputable_of_card(request.actor, card_number=card)
        except Refused as refusal:
            problem = told(refusal)
        chosen = next((row for row in rows if str(row.id) == posted.get("transaction", posted.get("pick", ""))), None)
        if chosen is not None:
            return _about(request, look, chosen, posted)
    bad = problem is not None or (posted is not None and bool(look.errors))
    context = {
        "look": look,
        "rows": [(row, _kind(row)) for row in rows],
        "looked": posted is not None and not look.errors,
        "form": form,
        "problem": problem,
    }
    return render(request, "console/exceptions/dispute.html", context, status=422 if bad else 200)


def _about(request: HttpRequest, look: LookForm, row: Any, posted: Any) -> HttpResponse:
    """The second page: what is wrong with this transaction."""
    sent = "complaint" in posted
    initial = {"transaction": row.id, "client_id": uuid.uuid4(), "amount": f"{row.amount / 100:.2f}"}
    form = DisputeForm(posted if sent else None, initial=initial)
    problem = None
    if sent and form.is_valid():
        given = form.cleaned_data
        try:
            case = open_dispute(
                request.actor,
                client_id=given["client_id"],
                transaction=given["transaction"],
                complaint=given["complaint"],
                claimed=in_fen(given["amount"]),
                text=given["text"],
            )
        except Refused as refusal:
            problem = told(refusal)
        else:
            said_so = _("Taken as %(number)s. The citizen hears of it by %(day)s at the latest.")
            text = said_so % {"number": case.number, "day": case.due_on.isoformat()}
            messages.success(request, text, extra_tags="good")
            return redirect("console:exceptions_one", case.number)
    context = {"look": look, "row": row, "kind": _kind(row), "form": form, "problem": problem}
    bad = problem is not None or bool(form.errors)
    return render(request, "console/exceptions/dispute_about.html", context, status=422 if bad else 200)


def _kind(row: Any) -> str:
    return said(KINDS[row.kind]) if row.kind in KINDS else str(row.kind)
