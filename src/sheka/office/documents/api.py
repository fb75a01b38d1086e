"""Documents over the API: keep one, and what is known of those of a subject. Their content is shown to people."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.refusals import Code
from sheka.office.api import Moment, Request, Router, Shape, changes, reads
from sheka.office.documents.actions.keep_document import keep_document
from sheka.office.documents.models import Document
from sheka.office.documents.queries import document_numbered, documents_of
from sheka.office.staff.permissions import Permission

router = Router()
FILE_LIMIT = 10 * 2**20
SUBJECT = r"^[a-z_]{1,30}:[A-Za-z0-9._-]{1,80}$"


class DocumentShape(Shape):
    """What is known of a document."""

    id: int
    kind: str
    subject: str
    media_type: str
    size: int = Field(description="Bytes.")
    pages: int | None
    digest: str = Field(description="SM3 of what is kept.")
    given_digest: str = Field(description="SM3 of what was sent.")
    state: str
    kept_at: Moment
    retain_until: date


class Documents(Shape):
    """The documents of one subject."""

    items: list[DocumentShape]


class About(Shape):
    """The subject of documents."""

    subject: str = Field(pattern=SUBJECT, max_length=120, examples=["exchange:H46010020261122000001"])


class Sent(About):
    """What a file is, and what it is about."""

    kind: str = Field(pattern=r"^[a-z_]{1,40}$", examples=["holder_id"])


@reads(router, "/documents", scope=Permission.DOCUMENT_VIEW, answer=Documents, refusals=(Code.DOCUMENT_SUBJECT,))
def list_documents(request: Request, about: Query[About]) -> Documents:
    """The documents of a subject that the client may see, the latest first."""
    return Documents(items=[_document(found) for found in documents_of(request.actor, about.subject)])


@reads(
    router,
    "/documents/{number}",
    scope=Permission.DOCUMENT_VIEW,
    answer=DocumentShape,
    refusals=(Code.DOCUMENT_UNKNOWN,),
)
def get_document(request: Request, number: Annotated[int, Path(ge=1, le=2**62)]) -> DocumentShape:
    """What is known of one document."""
    return _document(document_numbered(request.actor, number))


@changes(
    router,
    "/documents",
    scope=Permission.DOCUMENT_KEEP,
    answer=DocumentShape,
    refusals=(Code.DOCUMENT_SUBJECT, Code.DOCUMENT_KIND),
    media_types=("application/pdf", "image/jpeg", "image/png"),
    limit=FILE_LIMIT,
)
def upload_document(request: Request, sent: Query[Sent]) -> DocumentShape:
    """Keep a file with a subject. It is examined and kept in a clean form; the same file again is kept once."""
    found = keep_document(request.actor, kind=sent.kind, subject=sent.subject, filename="api", content=request.body)
    return _document(found)


def _document(found: Document) -> DocumentShape:
    return DocumentShape(
        id=found.pk,
        kind=found.kind,
        subject=found.subject,
        media_type=found.media_type,
        size=found.size,
        pages=found.pages,
        digest=found.digest,
        given_digest=found.given_digest,
        state=found.state,
        kept_at=found.kept_at,
        retain_until=found.retain_until,
    )
