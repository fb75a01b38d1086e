"""Pages that list what an organisation holds: issuance, keys, clearing, audit."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.places import labels
from sheka.office.audit.models import Event
from sheka.office.audit.trail import verify_chain
from sheka.office.organisations.models import Organisation
from sheka.office.staff.permissions import Permission
from sheka.systems.clearing.queries import days_of
from sheka.systems.issuance.queries import applications_held_by, issuers_held_by
from sheka.systems.keys.models import Key
from sheka.systems.keys.queries import keys_of

ROWS = 50
LEVELS = ("ministry", "province", "city", "maker")
"""Where the roots of keys are, from the top."""


@opens(Permission.ISSUANCE_VIEW)
@require_safe
def issuance(request: HttpRequest) -> HttpResponse:
    """Applications to issue and issuer numbers, as this organisation holds them (I1-I3)."""
    held = request.actor.organisation
    applications, issuers = applications_held_by(held), issuers_held_by(held)
    named = {row.applicant for row in applications} | {row.organisation for row in issuers}
    context = {"applications": applications, "issuers": issuers, "places": labels(named)}
    return render(request, "console/issuance.html", context)


@opens(Permission.KEY_VIEW)
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Keys by the level of their root, one row a name, with a check value for each algorithm: references only."""
    held = list(keys_of(request.actor.organisation))
    context = {"groups": _by_level(held), "total": len(held)}
    return render(request, "console/keys.html", context)


def _by_level(held: list[Key]) -> list[tuple[str, list[dict[str, Any]]]]:
    def place(key: Key) -> tuple[int, str, int]:
        return LEVELS.index(key.owner_level), key.name, key.version

    rows = [
        {"level": LEVELS[level], "name": name, "version": version, "by": {key.algorithm: key for key in same}}
        for (level, name, version), same in groupby(sorted(held, key=place), key=place)
    ]
    return [(level, list(group)) for level, group in groupby(rows, key=lambda row: row["level"])]


@opens(Permission.CLEARING_VIEW)
@require_safe
def clearing(request: HttpRequest) -> HttpResponse:
    """Clearing days with their totals and whether they are flat."""
    return render(request, "console/clearing.html", {"days": days_of(request.actor).select_related("organisation")})


@opens(Permission.AUDIT_READ)
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """What was done in this organisation and below it; `verify` recomputes the chain."""
    actor = request.actor
    places = Organisation.objects.filter(path__within=actor.path).values("code")
    events = Event.objects.filter(organisation_id__in=places).order_by("-sequence")
    subject = request.GET.get("subject", "").replace("\0", "").strip()
    if subject:
        events = events.filter(subject=subject)
    page = Paginator(events, ROWS).get_page(request.GET.get("page"))
    for event in page.object_list:
        event.told = [
            (name, _shown(value)) for name, value in json.loads(event.facts).items() if value not in ("", None)
        ]
    breaks = verify_chain() if "verify" in request.GET else None
    context = {
        "page": page,
        "subject": subject,
        "breaks": breaks,
        "places": labels(row.organisation_id for row in page),
    }
    return render(request, "console/audit.html", context)


def _shown(value: object) -> str:
    """A fact in one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:119] + "…"
