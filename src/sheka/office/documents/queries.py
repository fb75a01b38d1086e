"""Reading what is known about documents. Their content is read through `view_document` only."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.office.documents.models import Document, Paper
from sheka.office.documents.subjects import must_reach, subject_kinds
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


def documents_of(actor: Actor, subject: str) -> list[Document]:
    """The documents of one subject that the actor may know of, newest first; none without the right to view.

    Raises Refused: DOCUMENT_SUBJECT, why the subject is hidden.
    """
    if not actor.may(Permission.DOCUMENT_VIEW):
        return []
    must_reach(actor, subject)
    return list(_within(actor).filter(subject=subject))


def documents_in_reach(actor: Actor) -> QuerySet[Document]:
    """The documents of the organisations that the actor reads for, about what the actor may read (K6)."""
    actor.require(Permission.DOCUMENT_VIEW)
    about = Q(pk__in=())
    for kind in subject_kinds():
        if kind.open_to(actor):
            sort = Q(subject__startswith=f"{kind.word}:")
            about |= sort if kind.names is None else sort & Q(subject__in=kind.names(actor))
    return _within(actor).filter(about)


def document_numbered(actor: Actor, number: int) -> Document:
    """Raises Refused(DOCUMENT_UNKNOWN), also for one of an organisation out of reach."""
    found = _within(actor).filter(pk=number).first()
    if found is None:
        raise Refused(Code.DOCUMENT_UNKNOWN)
    return found


def paper_of(document: Document) -> Paper | None:
    """The paper that a document is, when the node made it."""
    return Paper.objects.filter(document=document).first()


def _within(actor: Actor) -> QuerySet[Document]:
    rows = Document.objects.select_related("organisation", "paper")
    return rows.filter(organisation__path__within=actor.scope)
