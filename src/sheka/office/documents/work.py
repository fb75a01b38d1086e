"""What the global search finds of papers: the thing that a scanned receipt is about."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.documents.models import Paper
from sheka.office.documents.subjects import subject_kind
from sheka.office.documents.verifying import plain_code
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.kinds import Address
from sheka.office.work.search import Asked, Found, finder

_TONES = {"valid": ("有效", "Valid", "good"), "void": ("已作废", "Void", "stop")}


def find_papers(actor: Actor, asked: Asked) -> list[Found]:
    """The paper with this verification code, as it is scanned or typed."""
    code = plain_code(asked.text)
    if code is None:
        return []
    rows = Paper.objects.select_related("document").filter(code=code, organisation__path__within=actor.scope)
    return [_found(paper) for paper in rows]


def _found(paper: Paper) -> Found:
    zh, en, tone = _TONES[paper.state]
    kind, name = subject_kind(paper.subject)
    page = kind.page(name) if kind.page else None
    address: Address = (page[0], *page[1]) if page else ("console:documents_view", paper.document_id)
    return Found(
        name=paper.document.title,
        number=paper.number,
        state=Term(zh, en),
        tone=tone,
        address=address,
        exact=True,
    )


finder("papers", Term("文书", "Papers"), find_papers, needs=(Permission.DOCUMENT_VIEW,))
