"""The audit as an auditor reads it: the list, one event with its place in the chain, the verification."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from sheka.faces.console.auditing.words import FAULTS
from sheka.faces.console.doors import opens
from sheka.faces.console.events import EVENTS, word_of
from sheka.faces.console.lists import Column, Days, Listing, Select, Text, show_list
from sheka.faces.console.places import labels
from sheka.faces.console.words import language
from sheka.office.audit.models import Event
from sheka.office.audit.queries import anchored_head, event_of, events_of, facts_of, place_of, places_of
from sheka.office.audit.reads import reads_among
from sheka.office.audit.refusals import EVENT as REFUSED
from sheka.office.jobs.actions.start_job import start_job
from sheka.office.jobs.queries import run_of
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

SHOWN = 120


def _places(actor: Actor) -> list[tuple[str, str]]:
    return [(place.code, place.label(language())) for place in places_of(actor)]


def _events(actor: Actor) -> list[tuple[str, str]]:
    return sorted(((code, str(word)) for code, word in EVENTS.items()), key=lambda pair: pair[1])


def _only(rows: Any, value: str, actor: Actor) -> Any:
    return reads_among(rows) if value == "reads" else rows.filter(event=REFUSED)


def _named(rows: list[Event], actor: Actor) -> None:
    """Give each row of a page the name of its organisation."""
    known = labels(row.organisation_id for row in rows)
    for row in rows:
        row.place = known.get(row.organisation_id, row.organisation_id)


AUDIT = Listing(
    name="audit",
    title=_("Audit"),
    lede=_("Append-only, each row chained to the one before it by SM3."),
    rows=events_of,
    default_sort="-number",
    columns=[
        Column(
            "number",
            _("No."),
            lambda row: row.sequence,
            sort="sequence",
            kind="number",
            link=lambda row: reverse("console:auditing_event", args=[row.sequence]),
        ),
        Column("at", _("Time"), lambda row: row.at, kind="whole"),
        Column("actor", _("Who"), lambda row: row.actor),
        Column("organisation", _("For whom"), lambda row: getattr(row, "place", row.organisation_id)),
        Column("event", _("Event"), lambda row: word_of(row.event)),
        Column(
            "subject",
            _("Subject"),
            lambda row: row.subject,
            kind="number",
            link=lambda row: f"{reverse('console:auditing_events')}?subject={row.subject}",
        ),
        Column("hash", _("Hash"), lambda row: bytes(row.hash).hex()[:12], kind="number"),
    ],
    filters=[
        Text("actor", _("Who"), ("actor",)),
        Select("event", _("Event"), _events, "event"),
        Text("subject", _("Subject, for example card:D2143569X"), ("subject",), lookup="startswith"),
        Select("organisation", _("For whom"), _places, "organisation_id"),
        Days("at", _("Time"), "at", moments=True),
        Select(
            "only",
            _("Only"),
            [("reads", _("Reads of personal data")), ("refusals", _("Refused attempts"))],
            narrow=_only,
            all=_("Everything"),
        ),
    ],
    gather=_named,
    empty_title=_("No events"),
    empty_text=_("Nothing was recorded in your organisations yet."),
)


@opens(Permission.AUDIT_READ)
@require_safe
def events(request: HttpRequest) -> HttpResponse:
    """What was done in this organisation and below it."""
    return show_list(request, AUDIT, "console/auditing/events.html", anchored=anchored_head())


@opens(Permission.AUDIT_READ)
@require_safe
def event(request: HttpRequest, sequence: int) -> HttpResponse:
    """One event: its facts, and its place in the chain."""
    row = event_of(request.actor, sequence)
    context = {
        "event": row,
        "word": word_of(row.event),
        "place": place_of(row),
        "organisation": labels([row.organisation_id]).get(row.organisation_id, row.organisation_id),
        "told": [(name, _shown(value)) for name, value in facts_of(row) if value not in ("", None)],
        "previous": sequence - 1 if events_of(request.actor).filter(sequence=sequence - 1).exists() else None,
        "next": sequence + 1 if events_of(request.actor).filter(sequence=sequence + 1).exists() else None,
    }
    return render(request, "console/auditing/event.html", context)


@opens(Permission.AUDIT_READ)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Start the verification of the whole chain."""
    return redirect("console:jobs_job", start_job(request.actor, "audit.verify").pk)


@opens(Permission.AUDIT_READ)
@require_safe
def verification(request: HttpRequest, number: int) -> HttpResponse:
    """What a verification found."""
    run = run_of(request.actor, number)
    if run.name != "audit.verify" or not run.result:
        return redirect("console:jobs_job", number)
    findings = [{**finding, "word": FAULTS[finding["fault"]]} for finding in run.result["findings"]]
    context = {"run": run, "result": run.result, "findings": findings, "seconds": run.result["milliseconds"] / 1000}
    return render(request, "console/auditing/verification.html", context)


def _shown(value: object) -> str:
    """A fact in one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
