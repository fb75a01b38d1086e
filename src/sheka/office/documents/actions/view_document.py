"""Show a document: for a purpose, audited, and only when it is what was kept."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.audit.trail import record
from sheka.office.documents import store
from sheka.office.documents.keeping import about
from sheka.office.documents.keys import key_of
from sheka.office.documents.models import Document
from sheka.office.documents.queries import document_numbered
from sheka.office.documents.subjects import must_reach
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

SHORTEST_PURPOSE, LONGEST_PURPOSE = 2, 200


@dataclass(frozen=True, slots=True)
class Viewed:
    """The content in clear. It is shown and forgotten: nobody writes it anywhere."""

    document: Document
    content: bytes


def view_document(actor: Actor, document: int, purpose: str) -> Viewed:
    """The content of a document, checked against the digest of the day on which it was kept.

    Raises Refused: PERMISSION_MISSING, DOCUMENT_UNKNOWN, why the subject is hidden, DOCUMENT_PURPOSE,
    DOCUMENT_DISPOSED; DOCUMENT_MISSING and DOCUMENT_ALTERED, which are audited; and what the keys refuse.
    """
    answer = _view(actor, document, purpose.strip())
    if isinstance(answer, Refused):
        raise answer
    return answer


@action(Permission.DOCUMENT_VIEW)
def _view(actor: Actor, number: int, purpose: str) -> Viewed | Refused:
    document = document_numbered(actor, number)
    must_reach(actor, document.subject)
    if not SHORTEST_PURPOSE <= len(purpose) <= LONGEST_PURPOSE:
        raise Refused(Code.DOCUMENT_PURPOSE)
    if document.disposed_at is not None:
        raise Refused(Code.DOCUMENT_DISPOSED, document=document, on=timezone.localtime(document.disposed_at).date())
    facts = {"about": document.subject, "kind": document.kind, "purpose": purpose}
    try:
        content = _opened(document)
    except FileNotFoundError:
        record(actor, "document.missing", document.audit_subject, **facts)
        return Refused(Code.DOCUMENT_MISSING, document=document)
    if content is None:
        record(actor, "document.altered", document.audit_subject, **facts)
        return Refused(Code.DOCUMENT_ALTERED, document=document)
    read_recorded(actor, "document.viewed", document.audit_subject, **facts)
    return Viewed(document, content)


def _opened(document: Document) -> bytes | None:
    """The content, or None when it is not what was kept."""
    sealed = store.read(document.stored)
    key = key_of(document.key, bytes(document.salt))
    covered = about(document.kind, document.subject, document.organisation_id, document.digest)
    try:
        content = store.unseal(sealed, key, covered)
    except Refused as refusal:
        if refusal.code is not Code.CRYPTO_TAG:
            raise
        return None
    return content if sm3(content).hex() == document.digest else None
