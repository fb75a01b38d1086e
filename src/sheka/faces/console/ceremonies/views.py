"""Ceremonies: the list, the page of one, and the ledger that this page asks for again and again (K6)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from sheka.faces.console.ceremonies.page import STATES, ledger_of, roster_of, seen, turn_of
from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens, polled
from sheka.faces.console.lists import Column, Listing, Select, Stamp, Text, show_list
from sheka.faces.console.telling import Told, list_mark
from sheka.faces.console.words import language
from sheka.office.staff.permissions import Permission
from sheka.systems.ceremonies.models import Ceremony
from sheka.systems.ceremonies.queries import ceremonies_of, ceremony_numbered, seats_in_turn
from sheka.systems.ceremonies.scripts import title_of


def _state(row: Ceremony) -> Stamp:
    return Stamp(*STATES[row.state])


def _kind(row: Ceremony) -> str:
    return row.title.text(language())


def _turn(row: Ceremony) -> str:
    return list_mark().join(seat.name for seat in seats_in_turn(row)) or "—"


CEREMONIES = Listing(
    name="ceremonies",
    title=_("Key ceremonies"),
    rows=ceremonies_of,
    default_sort="-planned",
    columns=[
        Column(
            "number",
            pgettext_lazy("ceremony", "Number"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=lambda row: reverse("console:ceremonies_one", args=[row.number]),
        ),
        Column("kind", pgettext_lazy("ceremony", "Ceremony"), _kind, sort="kind"),
        Column(
            "rehearsal",
            pgettext_lazy("ceremony", "Rehearsal"),
            lambda row: Stamp(pgettext_lazy("ceremony", "Rehearsal"), "wait") if row.rehearsal else "—",
        ),
        Column("state", _("State"), _state, sort="state"),
        Column("turn", pgettext_lazy("ceremony", "Waits for"), _turn),
        Column("planned", pgettext_lazy("ceremony", "Planned on"), lambda row: row.planned_at, sort="planned_at"),
        Column("ended", pgettext_lazy("ceremony", "Ended on"), lambda row: row.ended_at, sort="ended_at"),
    ],
    filters=[
        Text("q", pgettext_lazy("ceremony", "Number"), ("number",)),
        Select("state", _("State"), [(name, word) for name, (word, _tone) in STATES.items()], "state"),
    ],
    empty_title=_("No ceremony was held yet"),
    empty_text=_("A ceremony is planned for an approved request, or as a rehearsal."),
)


@opens(Permission.CEREMONY_VIEW)
@require_safe
def ceremonies(request: HttpRequest) -> HttpResponse:
    """The ceremonies of the reader's organisation."""
    plans = request.actor.may(Permission.CEREMONY_PLAN)
    return show_list(request, CEREMONIES, "console/ceremonies/list.html", plans=plans)


@opens(Permission.CEREMONY_VIEW)
@require_safe
def one(request: HttpRequest, number: str) -> HttpResponse:
    """One ceremony: its ledger, and the reader's own part in it."""
    return ceremony_page(request, ceremony_numbered(request.actor, number))


@polled
@opens(Permission.CEREMONY_VIEW)
@require_safe
def ledger(request: HttpRequest, number: str) -> HttpResponse:
    """The ledger as it stands; when the ceremony moved on, the reader's page is opened anew."""
    ceremony = ceremony_numbered(request.actor, number)
    if request.GET.get("seen") != seen(ceremony):
        moved = HttpResponse(status=200)
        moved["HX-Redirect"] = reverse("console:ceremonies_one", args=[number])
        return moved
    return render(request, "console/ceremonies/ledger.html", ledger_of(ceremony))


def ceremony_page(
    request: HttpRequest, ceremony: Ceremony, *, problem: Told | None = None, status: int = 200
) -> HttpResponse:
    """The page; `problem` is the refusal of a verb."""
    context: dict[str, Any] = {
        **ledger_of(ceremony),
        **turn_of(request.actor, ceremony),
        "title": title_of(ceremony.kind).text(language()),
        "stamp": STATES[ceremony.state],
        "roster": roster_of(ceremony),
        "problem": problem,
        "documents": None if ceremony.live else _documents(request, ceremony),
    }
    return render(request, "console/ceremonies/ceremony.html", context, status=status)


def _documents(request: HttpRequest, ceremony: Ceremony) -> dict[str, Any] | None:
    """The minutes, for those who may see documents."""
    if not request.actor.may(Permission.DOCUMENT_VIEW):
        return None
    return subject_context(request.actor, ceremony.key)
