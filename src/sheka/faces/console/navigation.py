"""The rail: the systems in the mission's words, as far as the reader may open them."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import ResolverMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the rail. `page` is the name of its address, `needs` what opens it."""

    title: str | Promise
    page: str
    needs: Permission


@dataclass(frozen=True, slots=True)
class Link:
    title: str | Promise
    address: str
    current: bool


RAIL: tuple[tuple[str | Promise, tuple[Entry, ...]], ...] = (
    (
        _("Counter"),
        (
            Entry(_("Cards"), "console:cards", Permission.CARD_VIEW),
            Entry(_("Exchanges"), "console:exchanges", Permission.CARD_VIEW),
        ),
    ),
    (
        _("Business"),
        (
            Entry(_("Issuance"), "console:issuance", Permission.ISSUANCE_VIEW),
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
            Link(entry.title, reverse(entry.page), here.startswith(entry.page.removesuffix("s")))
            for entry in entries
            if actor.may(entry.needs)
        ]
        if links:
            groups.append((title, links))
    return groups
