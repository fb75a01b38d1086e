"""What every template knows: whom the reader acts for, where the console leads, whether cards can be searched."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from sheka.faces.console.navigation import navigation_for
from sheka.office.organisations.queries import organisation
from sheka.office.staff.permissions import Permission


def console(request: HttpRequest) -> dict[str, Any]:
    """Nothing for a stranger; organisation and navigation for someone signed in."""
    actor = getattr(request, "actor", None)
    if actor is None:
        return {"demo": settings.DEMO}
    return {
        "demo": settings.DEMO,
        "actor": actor,
        "acting_for": organisation(actor.organisation),
        "may_search": actor.may(Permission.CARD_VIEW),
        "navigation": navigation_for(actor, request.resolver_match),
    }
