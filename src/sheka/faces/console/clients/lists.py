"""The list of clients."""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.filters import Rows
from sheka.faces.console.list_cells import Stamp
from sheka.faces.console.lists import Column, Listing, Select, Text
from sheka.faces.console.rights import right_word
from sheka.faces.console.telling import list_mark
from sheka.faces.console.words import language
from sheka.office.clients.models import Client
from sheka.office.clients.queries import clients_of
from sheka.office.staff.actors import Actor


def state_of(client: Client) -> Stamp:
    """In use, locked after wrong secrets, past its last day, or ended."""
    state = client.state_on(timezone.localdate())
    if state == "ended":
        return Stamp(_("Client ended"), "still")
    if state == "expired":
        return Stamp(_("Past its last day"), "still")
    if client.locked_until and client.locked_until > timezone.now():
        return Stamp(_("Locked after wrong secrets"), "stop")
    return Stamp(_("Client in use"), "good")


def _by_state(rows: Rows, value: str, actor: Actor) -> Rows:
    over = Q(valid_to__lte=timezone.localdate())
    if value == "ended":
        return rows.filter(ended_at__isnull=False)
    return rows.filter(over if value == "expired" else ~over, ended_at=None)


def scope_words(client: Client) -> str:
    """What it may do, in words."""
    return list_mark().join(right_word(scope) for scope in client.scopes)


CLIENTS = Listing(
    name="clients",
    title=_("Clients of the API"),
    lede=_("Programs of partners and offices, each with its own secret. What a program did is in the audit."),
    columns=[
        Column("name", _("Program"), lambda row: row.name, sort="name",
               link=lambda row: reverse("console:clients_one", args=[row.code])),
        Column("code", _("Client id"), lambda row: row.code, sort="code", kind="number"),
        Column("organisation", _("Organisation"), lambda row: row.organisation.label(language()),
               sort="organisation__path"),
        Column("scopes", _("May"), scope_words),
        Column("valid_to", _("Ends on"), lambda row: row.valid_to, sort="valid_to", kind="whole"),
        Column("last", _("Last token"), lambda row: row.last_used_at, sort="last_used_at", kind="whole"),
        Column("state", _("State"), state_of),
    ],
    filters=[
        Text("text", _("Program or client id"), ("name", "code")),
        Select("state", _("State"), [("active", _("Client in use")), ("expired", _("Past its last day")),
                                     ("ended", _("Client ended"))], narrow=_by_state, all=_("All clients")),
    ],
    rows=clients_of,
    default_sort="name",
    empty_title=_("No client"),
    empty_text=_("Programs that may call the API for your organisation or those below it appear here."),
)  # fmt: skip
