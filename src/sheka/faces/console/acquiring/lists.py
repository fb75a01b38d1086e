"""The lists of institutions, terminals and test transactions."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.acquiring.words import CHANNELS, KINDS, STATES, TONES, offered, said
from sheka.faces.console.lists import Column, Listing, Select, Stamp, Text
from sheka.systems.transactions.models import Institution, Terminal
from sheka.systems.transactions.queries_of_acquiring import last_seen, registry_of, terminals_registered


def stamp(row: Institution | Terminal) -> Stamp:
    return Stamp(said(STATES.get(row.state, STATES["registered"])), TONES.get(row.state, "still"))


def psam_in(row: Terminal) -> str:
    """The PSAM that is bound to a terminal, "" for none."""
    module = getattr(row, "module", None)
    return module.psam if module is not None else ""


def _with_last_seen(rows: list[Any], actor: object) -> None:
    seen = last_seen(rows)
    for row in rows:
        row.seen = seen.get(row.pk)


INSTITUTIONS = Listing(
    name="institutions",
    title=_("Institutions"),
    lede=_("Who takes the card. Registered by one person, tested at the switch, activated by another."),
    rows=registry_of,
    default_sort="code",
    columns=[
        Column("code", _("Code of the institution"), lambda row: row.code, sort="code", kind="number",
               link=lambda row: reverse("console:acquiring_institution", args=[row.code])),
        Column("name", _("Name of the institution"), lambda row: row.name, sort="name"),
        Column("kind", _("What it is"), lambda row: said(KINDS[row.kind]), sort="kind"),
        Column("state", _("State"), stamp, sort="state"),
        Column("region", _("Region"), lambda row: row.region, sort="region", kind="number"),
        Column("protocol", _("Interface"), lambda row: row.protocol or "—", sort="protocol", kind="number"),
        Column("contract_to", _("Contract until"), lambda row: row.contract_to, sort="contract_to", kind="whole"),
    ],
    filters=[
        Select("state", _("State"), lambda actor: offered(STATES), "state", all=_("All states")),
        Select("kind", _("What it is"), lambda actor: offered(KINDS), "kind"),
        Text("text", _("Code or name"), ("code", "name")),
    ],
    empty_title=_("No institutions"),
    empty_text=_("An institution appears here when it is registered."),
)  # fmt: skip
TERMINALS = Listing(
    name="terminals",
    title=_("Terminals"),
    lede=_("Terminals in service. Test terminals stand with the tests of their institution."),
    rows=terminals_registered,
    default_sort="number",
    gather=_with_last_seen,
    columns=[
        Column("number", _("Number of the terminal"), lambda row: row.number, sort="number", kind="number",
               link=lambda row: reverse("console:acquiring_terminal", args=[row.number])),
        Column("institution", _("Institution"), lambda row: row.institution.name, sort="institution__name",
               link=lambda row: reverse("console:acquiring_institution", args=[row.institution.code])),
        Column("state", _("State"), stamp, sort="state"),
        Column("place", _("Where it stands"), lambda row: row.place or "—"),
        Column("model", _("Model"), lambda row: row.model or "—", sort="model"),
        Column("software", _("Software"), lambda row: row.software or "—", sort="software", kind="number"),
        Column("psam", _("PSAM"), psam_in, kind="number"),
        Column("seen", _("Last seen"), lambda row: row.seen, kind="whole"),
    ],
    filters=[
        Select("state", _("State"), lambda actor: offered(STATES), "state", all=_("All states")),
        Select("channel", _("How it speaks"), lambda actor: offered(CHANNELS), "channel"),
        Text("number", _("Number of the terminal"), ("number",), "startswith"),
        Text("institution", _("Institution"), ("institution__code", "institution__name")),
    ],
    empty_title=_("No terminals"),
    empty_text=_("A terminal appears here when it is registered on the page of its institution."),
)  # fmt: skip
