"""The list of an organisation's documents."""

from __future__ import annotations

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text
from sheka.faces.console.words import language
from sheka.office.documents.kinds import kinds
from sheka.office.documents.models import Document
from sheka.office.documents.queries import documents_in_reach
from sheka.office.staff.actors import Actor

STATES: dict[str, tuple[str | Promise, str]] = {
    "kept": (_("Kept"), "good"),
    "disposed": (_("Disposed of"), "still"),
}


def _kinds(_actor: Actor) -> list[tuple[str, str]]:
    return [(name, kind.title.text(language())) for name, kind in kinds().items()]


def _states(_actor: Actor) -> list[tuple[str, str]]:
    return [(name, str(word)) for name, (word, _tone) in STATES.items()]


def _stamp(row: Document) -> Stamp:
    paper = getattr(row, "paper", None)
    if row.state == "kept" and paper is not None and paper.state == "void":
        return Stamp(_("Void"), "stop")
    return Stamp(*STATES[row.state])


DOCUMENTS = Listing(
    name="documents",
    title=_("Documents"),
    caption=_("Papers that came in and papers that were made; each is looked at for a purpose."),
    rows=documents_in_reach,
    default_sort="-kept_at",
    columns=[
        Column(
            "kind",
            _("Document"),
            lambda row: row.title.text(language()),
            sort="kind",
            link=lambda row: reverse("console:documents_view", args=[row.pk]),
        ),
        Column(
            "subject",
            _("About"),
            lambda row: row.subject,
            sort="subject",
            kind="number",
            link=lambda row: reverse("console:documents_about", args=[row.subject]),
        ),
        Column("state", _("State"), _stamp, sort="state"),
        Column("by", _("Kept by"), lambda row: row.kept_by, sort="kept_by"),
        Column("place", _("Organisation"), lambda row: row.organisation.label(language()), sort="organisation__path"),
        Column("kept_at", _("Kept at"), lambda row: row.kept_at, sort="kept_at", kind="whole"),
        Column("until", _("Keep until"), lambda row: row.retain_until, sort="retain_until", kind="whole"),
    ],
    filters=[
        Select("kind", _("Kind of document"), _kinds, "kind"),
        Select("state", _("State"), _states, "state"),
        Text("subject", _("About"), ("subject",), "startswith"),
        Days("kept", _("Kept"), "kept_at", moments=True),
    ],
    empty_title=_("No documents"),
    empty_text=_("A document appears here when it is kept at a counter or made by the system."),
)
