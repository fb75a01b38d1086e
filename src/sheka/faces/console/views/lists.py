"""The audit as an organisation reads it."""

from __future__ import annotations

import json

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

ROWS = 50


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
