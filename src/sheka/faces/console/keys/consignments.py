"""Consignments of sub-keys: the list, and one with everything on its carrier and where the carrier went (K2, K5)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.keys.lists import CONSIGNMENTS
from sheka.faces.console.lists import show_list
from sheka.faces.console.places import labels
from sheka.faces.console.words import language
from sheka.foundation.refusals import Refused
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.queries import chain_of
from sheka.systems.keys.models import Consignment
from sheka.systems.keys.queries import consignments_of


@opens(Permission.KEY_VIEW)
@require_safe
def consignments(request: HttpRequest) -> HttpResponse:
    """What was sent to the level below, and what came from the level above."""
    return show_list(request, CONSIGNMENTS)


@opens(Permission.KEY_VIEW)
@require_safe
def consignment(request: HttpRequest, number: str) -> HttpResponse:
    """One consignment: its keys with the check values at both ends, and the chain of custody of its carrier."""
    found = consignments_of(request.actor.organisation).filter(number=number).first()
    if found is None:
        raise Http404
    names = labels({found.sender, found.recipient})
    context = {
        "consignment": found,
        "sender": names.get(found.sender, found.sender),
        "recipient": names.get(found.recipient, found.recipient),
        "chain": _chain(request.actor, found),
    }
    return render(request, "console/keys/consignment.html", context)


def _chain(actor: Actor, found: Consignment) -> list[tuple[object, str]]:
    """(link, what happened) of the carrier's chain of custody; nothing for a reader who may not see carriers."""
    if not found.carrier or not actor.may(Permission.CARRIER_VIEW):
        return []
    try:
        return [(link, link.title.text(language())) for link in chain_of(actor, found.carrier)]
    except Refused:
        return []
