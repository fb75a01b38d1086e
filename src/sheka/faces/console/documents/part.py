"""What a page about a subject knows of its documents: for this topic's pages, and for others that include part.html."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from sheka.faces.console.documents.papers import papers_for
from sheka.faces.console.words import language
from sheka.office.documents.kinds import kinds_for
from sheka.office.documents.queries import documents_of
from sheka.office.documents.subjects import must_reach, subject_kind
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


def subject_context(actor: Actor, subject: str) -> dict[str, Any]:
    """What a page about a subject knows: also for the part that other pages include."""
    must_reach(actor, subject)
    kind, name = subject_kind(subject)
    page = kind.page(name) if kind.page else None
    rows = [(row, row.title.text(language())) for row in documents_of(actor, subject)]
    return {
        "subject": subject,
        "subject_title": kind.title.text(language()),
        "subject_name": name,
        "subject_page": reverse(page[0], args=page[1]) if page else "",
        "kept": rows,
        "may_keep": actor.may(Permission.DOCUMENT_KEEP) and bool(kinds_for(subject)),
        "makes": papers_for(actor, subject),
    }
