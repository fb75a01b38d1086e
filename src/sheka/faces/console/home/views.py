"""The first page: what waits for this reader, and what stands at the organisation. And the help."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sheka.faces.console.doors import open_to_staff
from sheka.faces.console.navigation import applications_waiting
from sheka.faces.console.rights import right_word
from sheka.faces.console.templatetags.look import count, day
from sheka.office.audit.trail import head
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.queries import count_by_state, exchanges_served
from sheka.systems.clearing.queries import days_of
from sheka.systems.issuance.queries import issuers_held_by
from sheka.systems.keys.queries import keys_of


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that leads to its page. `tone` as for seals; "" for a number that asks nothing of anybody."""

    number: str
    title: str
    address: str
    tone: str = ""


@open_to_staff
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Tiles of what waits, then the cards by state with their bars."""
    actor = request.actor
    states = count_by_state(actor) if actor.may(Permission.CARD_VIEW) else []
    context = {
        "tiles": tiles_for(actor),
        "states": states,
        "total": sum(row.count for row in states),
        "most": max((row.count for row in states), default=0),
    }
    return render(request, "console/home/overview.html", context)


@open_to_staff
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """What the `?` key shows, as a page."""
    rights = sorted((right_word(code), code) for code in request.actor.permissions)
    return render(request, "console/home/help.html", {"rights": rights})


def tiles_for(actor: Actor) -> list[Tile]:
    """What this reader's role has to do with, the pressing first."""
    found: list[Tile] = []
    for permission, tiles in _TILES:
        if actor.may(permission):
            found += tiles(actor)
    return found


def _pressing(number: int, title: str, address: str, tone: str) -> Tile:
    """A number that has a tone when it is not nothing."""
    return Tile(count(number), title, address, tone if number else "")


def _cards(actor: Actor) -> list[Tile]:
    address = reverse("console:exchanges")
    rows = exchanges_served(actor)
    making = rows.filter(state__in=("applied", "in_production"))
    late = making.filter(due_on__lt=timezone.localdate()).count()
    return [
        _pressing(rows.filter(state="ready").count(), _("New cards ready to collect"), address, "info"),
        _pressing(making.count(), _("Exchanges in production"), address, "wait"),
        _pressing(late, _("Exchanges overdue"), address, "stop"),
    ]


def _issuance(actor: Actor) -> list[Tile]:
    waiting, address = applications_waiting(actor).number, reverse("console:issuance")
    numbers = issuers_held_by(actor.organisation).count()
    return [
        _pressing(waiting, _("Applications to decide"), address, "wait"),
        Tile(count(numbers), _("Issuer identification numbers"), address),
    ]


def _clearing(actor: Actor) -> list[Tile]:
    latest = days_of(actor).first()
    return [Tile(day(latest.settlement_date) if latest else "—", _("Latest clearing day"), reverse("console:clearing"))]


def _keys(actor: Actor) -> list[Tile]:
    return [Tile(count(keys_of(actor.organisation).count()), _("Keys held in the machine"), reverse("console:keys"))]


def _audit(actor: Actor) -> list[Tile]:
    return [Tile(count(head()[0]), _("Events in the audit chain"), reverse("console:auditing_events"))]


_TILES = (
    (Permission.CARD_VIEW, _cards),
    (Permission.ISSUANCE_VIEW, _issuance),
    (Permission.CLEARING_VIEW, _clearing),
    (Permission.KEY_VIEW, _keys),
    (Permission.AUDIT_READ, _audit),
)
