"""Applications to issue and issuer numbers, as the reader's organisation holds them (I1-I3)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text, show_list
from sheka.faces.console.places import labels
from sheka.faces.console.words import REQUEST_WORDS
from sheka.office.approvals.states import PROPOSAL
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.issuance.queries import applications_held_by, issuers_held_by


def _name_applicants(rows: list[Any], actor: Actor) -> None:
    """Who applied, by name: an application holds only the code."""
    known = labels(row.origin for row in rows)
    for row in rows:
        row.applicant_name = known.get(row.origin, row.origin)


def _name_organisations(rows: list[Any], actor: Actor) -> None:
    known = labels(row.organisation for row in rows)
    for row in rows:
        row.organisation_name = known.get(row.organisation, row.organisation)


APPLICATIONS = Listing(
    name="applications",
    title=_("Applications to issue"),
    lede=_("City applies, province examines, ministry approves and assigns the issuer identification number (I1–I3)."),
    caption=_("As this organisation holds them; the digest proves what was decided about"),
    rows=lambda actor: applications_held_by(actor.organisation),
    default_sort="-since",
    columns=[
        Column(
            "number",
            _("Number"),
            lambda row: str(row.number)[:8],
            kind="number",
            export=lambda row: row.number,
            link=lambda row: reverse("console:approvals_one", args=[row.pk]),
        ),  # fmt: skip,
        Column("applicant", _("Applicant"), lambda row: row.applicant_name, sort="origin"),
        Column("state", _("State"), lambda row: Stamp(*REQUEST_WORDS[row.state]), sort="state"),
        Column("digest", _("Digest"), lambda row: row.digest[:16], kind="number", export=lambda row: row.digest),
        Column("since", _("Since"), lambda row: row.made_at, sort="made_at", kind="whole"),
        Column("cards", _("Number of cards"), lambda row: row.payload["quantity"], kind="amount"),
    ],
    filters=[
        Select("state", _("State"), [(state, REQUEST_WORDS[state][0]) for state in PROPOSAL.states], "state"),
        Days("since", _("Since"), "made_at", moments=True),
    ],
    gather=_name_applicants,
    empty_title=_("No applications"),
    empty_text=_("An application appears here when it is submitted or arrives from below."),
)

NUMBERS = Listing(
    name="issuers",
    title=_("Issuer identification numbers"),
    lede=_("Assigned by the ministry, filed with the National IC Card Registration Center"),
    rows=lambda actor: issuers_held_by(actor.organisation),
    default_sort="number",
    columns=[
        Column("number", _("Number"), lambda row: row.number, sort="number", kind="number"),
        Column("organisation", _("Organisation"), lambda row: row.organisation_name, sort="organisation"),
        Column("until", _("Valid until"), lambda row: row.valid_to, sort="valid_to", kind="whole"),
        Column("filing", _("Filing"), lambda row: row.filing_reference, kind="number"),
        Column("cards", _("Number of cards"), lambda row: row.quantity, sort="quantity", kind="amount"),
    ],
    filters=[Text("number", _("Number"), ("number",), "startswith"), Days("until", _("Valid until"), "valid_to")],
    gather=_name_organisations,
    empty_title=_("No issuer numbers"),
    empty_text=_("A number appears here when the ministry has approved an application and assigned it."),
)


@opens(Permission.ISSUANCE_VIEW)
@require_safe
def applications(request: HttpRequest) -> HttpResponse:
    """Applications, the latest first."""
    return show_list(request, APPLICATIONS)


@opens(Permission.ISSUANCE_VIEW)
@require_safe
def numbers(request: HttpRequest) -> HttpResponse:
    """Issuer numbers with their validity and filing."""
    return show_list(request, NUMBERS)
