"""Keep a document that somebody brought (R1, R7, R8: what is shown, and what a copy is kept of)."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.documents.examination.examine import Examined, examine
from sheka.office.documents.keeping import put
from sheka.office.documents.kinds import EXTENSIONS, Kind, kind_named, kinds_for
from sheka.office.documents.models import Document
from sheka.office.documents.names import label_of
from sheka.office.documents.subjects import must_reach
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


def keep_document(actor: Actor, *, kind: str, subject: str, filename: str, content: bytes) -> Document:
    """Examine what was sent, keep its clean form; the same file with the same subject and kind is kept once.

    The examination takes up to seconds, so it stands before the transaction. A file that is refused leaves a row in the
    audit. Raises Refused: PERMISSION_MISSING, DOCUMENT_SUBJECT and the subject's own, DOCUMENT_KIND, every refusal of
    `examine`, DOCUMENT_NO_ROOM, DOCUMENT_UNWRITABLE, and what the keys refuse.
    """
    actor.require(Permission.DOCUMENT_KEEP)
    about = must_reach(actor, subject)
    wanted = kind_named(kind)
    if wanted not in kinds_for(subject):
        raise Refused(Code.DOCUMENT_KIND, kind=wanted.title, subject=about.title)
    given = sm3(content).hex()
    try:
        clean = examine(content, wanted)
    except Refused as refusal:
        _note_refusal(actor, subject, wanted, given, refusal)
        raise
    label = label_of(filename, EXTENSIONS[clean.media_type])
    return _keep(actor, wanted, subject, label, given, clean)


@action(Permission.DOCUMENT_KEEP)
def _keep(actor: Actor, kind: Kind, subject: str, label: str, given: str, clean: Examined) -> Document:
    try:
        with transaction.atomic():
            kept = put(actor, kind=kind, subject=subject, label=label, clean=clean, given_digest=given)
    except IntegrityError:  # it is kept already: the file that was just written has no row, and the sweep takes it
        again = Document.objects.get(
            organisation_id=actor.organisation, subject=subject, kind=kind.name, given_digest=given, state="kept"
        )
        record(actor, "document.found", again.audit_subject, about=subject, kind=kind.name)
        return again
    record(
        actor,
        "document.kept",
        kept.audit_subject,
        about=subject,
        kind=kind.name,
        digest=kept.digest,
        given_digest=given,
        size=kept.size,
    )
    return kept


def _note_refusal(actor: Actor, subject: str, kind: Kind, given: str, refusal: Refused) -> None:
    with transaction.atomic():
        record(actor, "document.refused", subject, kind=kind.name, given_digest=given, number=refusal.number)
