"""Pages that list what an organisation holds: overview, issuance, keys, clearing, audit."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sheka.office.audit.models import Event
from sheka.office.audit.trail import verify_chain
from sheka.office.organisations.models import Organisation
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.queries import count_by_state
from sheka.systems.clearing.queries import days_of
from sheka.systems.issuance.queries import applications_held_by, issuers_held_by
from sheka.systems.keys.queries import keys_of

ROWS = 50


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """What stands at this organisation: cards by state."""
    actor = request.actor
    counts = count_by_state(actor) if actor.may(Permission.CARD_VIEW) else []
    return render(request, "console/overview.html", {"counts": counts})


@require_safe
def issuance(request: HttpRequest) -> HttpResponse:
    """Applications to issue and issuer numbers, as this organisation holds them (I1-I3)."""
    request.actor.require(Permission.ISSUANCE_VIEW)
    held = request.actor.organisation
    context = {"applications": applications_held_by(held), "issuers": issuers_held_by(held)}
    return render(request, "console/issuance.html", context)


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Keys by name with their check values: references only, never keys (design §2.8)."""
    request.actor.require(Permission.KEY_VIEW)
    return render(request, "console/keys.html", {"keys": keys_of(request.actor.organisation)})


@require_safe
def clearing(request: HttpRequest) -> HttpResponse:
    """Clearing days with their totals and whether they are flat."""
    request.actor.require(Permission.CLEARING_VIEW)
    return render(request, "console/clearing.html", {"days": days_of(request.actor)})


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """What was done in this organisation and below it; `verify` recomputes the chain."""
    actor = request.actor
    actor.require(Permission.AUDIT_READ)
    places = Organisation.objects.filter(path__within=actor.path).values("code")
    events = Event.objects.filter(organisation_id__in=places).order_by("-sequence")
    subject = request.GET.get("subject", "").strip()
    if subject:
        events = events.filter(subject=subject)
    page = Paginator(events, ROWS).get_page(request.GET.get("page"))
    breaks = verify_chain() if "verify" in request.GET else None
    return render(request, "console/audit.html", {"page": page, "subject": subject, "breaks": breaks})
