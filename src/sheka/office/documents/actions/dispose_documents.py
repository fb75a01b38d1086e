"""Dispose of documents that were kept as long as their kind says: key first, then file; the record stays."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.documents import store
from sheka.office.documents.models import Document
from sheka.office.documents.states import DOCUMENT
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

AT_ONCE = 500


@action(Permission.DOCUMENT_DISPOSE)
def dispose_documents(actor: Actor) -> int:
    """Dispose of up to 500 documents of the actor's organisation and below whose time is over; how many it were.

    With its salt gone the key of a document cannot be found again, also where a backup still has the file.
    """
    now, today = timezone.now(), timezone.localdate()
    due = Document.objects.select_for_update().filter(state="kept", retain_until__lt=today)
    disposed = list(due.filter(organisation__path__within=actor.path).order_by("pk")[:AT_ONCE])
    for document in disposed:
        document.state = DOCUMENT.after(document.state, "dispose")
        document.salt, document.disposed_at = b"", now
        document.save(update_fields=["state", "salt", "disposed_at"])
        record(actor, "document.disposed", document.audit_subject, about=document.subject, kind=document.kind)
        transaction.on_commit(partial(store.remove, document.stored))
    record(actor, "documents.disposed", f"organisation:{actor.organisation}", number=len(disposed))
    return len(disposed)
