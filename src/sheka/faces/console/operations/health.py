"""The health of the node: a page for its administrator, two words for the machine that watches it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sheka.faces.console.doors import open_to_all, opens
from sheka.faces.console.words import language
from sheka.office.operations.health.checks import WORDS, worst
from sheka.office.operations.health.queries import health_of_node, is_ready
from sheka.office.staff.permissions import Permission

ORDER = ("stop", "wait", "good", "still")


@opens(Permission.SYSTEM_VIEW)
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Every part with its state, since when, and what to do; what needs acting on stands first."""
    checks, tongue = health_of_node(request.actor), language()
    rows = [
        {
            "title": check.title.text(tongue),
            "tone": check.state,
            "word": check.word.text(tongue),
            "text": check.text.text(tongue),
            "todo": check.todo.text(tongue),
            "since": check.since,
        }
        for check in sorted(checks, key=lambda check: ORDER.index(check.state))
    ]
    whole = worst(checks)
    context = {"rows": rows, "tone": whole, "word": WORDS[whole].text(tongue), "now": timezone.now()}
    return render(request, "console/operations/health.html", context)


@open_to_all
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@open_to_all
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """This process can serve: 200, or 503 while it cannot. It tells strangers nothing else."""
    ready = is_ready()
    return HttpResponse("ready\n" if ready else "waiting\n", content_type="text/plain", status=200 if ready else 503)
