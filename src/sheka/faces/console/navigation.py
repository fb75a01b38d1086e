"""The rail: the systems in the mission's words, as far as the reader may open them, with what waits in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import ResolverMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.queries import exchanges_served
from sheka.systems.cards.states import OPEN_EXCHANGE
from sheka.systems.issuance.queries import applications_held_by


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits behind an entry, and whether some of it is late."""

    number: int
    late: bool = False


def exchanges_waiting(actor: Actor) -> Waiting:
    """Exchanges that run; late when one is not ready on its day."""
    running = exchanges_served(actor).filter(state__in=OPEN_EXCHANGE)
    late = running.exclude(state="ready").filter(due_on__lt=timezone.localdate())
    return Waiting(running.count(), late.exists())


def applications_waiting(actor: Actor) -> Waiting:
    """Applications that this organisation has to decide."""
    held = applications_held_by(actor.organisation)
    return Waiting(sum(application.state == "received" for application in held))


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the rail. `page` is the name of its address, `needs` what opens it, `waits` what it counts."""

    title: str | Promise
    page: str
    needs: Permission
    waits: Callable[[Actor], Waiting] | None = None


@dataclass(frozen=True, slots=True)
class Link:
    title: str | Promise
    address: str
    current: bool
    waiting: Waiting | None


RAIL: tuple[tuple[str | Promise, tuple[Entry, ...]], ...] = (
    (
        _("Counter"),
        (
            Entry(_("Cards"), "console:cards", Permission.CARD_VIEW),
            Entry(_("Exchanges"), "console:exchanges", Permission.CARD_VIEW, exchanges_waiting),
        ),
    ),
    (
        _("Business"),
        (
            Entry(_("Issuance"), "console:issuance", Permission.ISSUANCE_VIEW, applications_waiting),
            Entry(_("Clearing"), "console:clearing", Permission.CLEARING_VIEW),
        ),
    ),
    (
        _("Security"),
        (
            Entry(_("Keys"), "console:keys", Permission.KEY_VIEW),
            Entry(_("Audit"), "console:audit", Permission.AUDIT_READ),
        ),
    ),
)


def rail_for(actor: Actor, match: ResolverMatch | None) -> list[tuple[str | Promise, list[Link]]]:
    """The groups that hold at least one page for this reader."""
    here = match.view_name if match else ""
    groups = []
    for title, entries in RAIL:
        links = [
            Link(
                entry.title,
                reverse(entry.page),
                here.startswith(entry.page.removesuffix("s")),
                entry.waits(actor) if entry.waits else None,
            )
            for entry in entries
            if actor.may(entry.needs)
        ]
        if links:
            groups.append((title, links))
    return groups
