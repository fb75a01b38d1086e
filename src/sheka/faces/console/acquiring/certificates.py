"""The list of certificates of institutions' lines, with what ends soon (S4)."""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.acquiring.views import certificate_state
from sheka.faces.console.acquiring.words import CERTIFICATE_STATES, offered
from sheka.faces.console.filters import Rows
from sheka.faces.console.lists import Column, Listing, Select, Stamp, Text
from sheka.office.staff.actors import Actor
from sheka.systems.transactions.acquiring_models import Certificate
from sheka.systems.transactions.queries_of_acquiring import SOON, certificates_in_reach


def _stamp(row: Certificate) -> Stamp:
    return Stamp(*certificate_state(row, timezone.now()))


def _address(row: Certificate) -> str:
    return reverse("console:acquiring_certificate", args=[row.institution.code, row.fingerprint])


def _narrow(rows: Rows, value: str, actor: Actor) -> Rows:
    now = timezone.now()
    if value == "in_force":
        return rows.filter(ended_at=None, valid_from__lte=now, valid_to__gt=now)
    if value == "soon":
        return rows.filter(ended_at=None, valid_to__gt=now, valid_to__lte=now + SOON)
    return rows.filter(Q(ended_at__isnull=False) | Q(valid_to__lte=now))


CERTIFICATES = Listing(
    name="line_certificates",
    title=_("Certificates of lines"),
    lede=_("With which institutions' lines prove whose they are. What ends within 30 days stands out."),
    rows=certificates_in_reach,
    default_sort="valid_to",
    columns=[
        Column("fingerprint", _("Fingerprint (SHA-256)"), lambda row: f"{row.fingerprint[:16]}…", kind="number",
               link=_address, export=lambda row: row.fingerprint),
        Column("institution", _("Institution"), lambda row: row.institution.name, sort="institution__name",
               link=lambda row: reverse("console:acquiring_line", args=[row.institution.code])),
        Column("state", _("State"), _stamp),
        Column("subject", _("Issued to"), lambda row: row.subject, sort="subject", kind="number"),
        Column("valid_from", _("Good from"), lambda row: row.valid_from, sort="valid_from", kind="whole"),
        Column("valid_to", _("Good until"), lambda row: row.valid_to, sort="valid_to", kind="whole"),
    ],
    filters=[
        Select("state", _("State"), lambda actor: offered(CERTIFICATE_STATES), narrow=_narrow, all=_("All states")),
        Text("institution", _("Institution"), ("institution__code", "institution__name")),
    ],
    empty_title=_("No certificates"),
    empty_text=_("A certificate appears here when it is registered on the page of its institution."),
)  # fmt: skip
