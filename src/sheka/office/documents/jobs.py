"""What the node does with documents by the clock, and what takes long: sweeping the store, disposing of documents."""

from __future__ import annotations

from typing import Any

from sheka.foundation.refusals import Code, Refused
from sheka.office.documents.actions.dispose_documents import AT_ONCE, dispose_documents
from sheka.office.documents.sweep import sweep
from sheka.office.jobs.registry import job, periodic
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


@periodic("documents.sweep", cron="40 18 * * *")
def sweep_the_store() -> None:
    """Every night: files without a row go. Raises Refused(DOCUMENT_MISSING) when a document has lost its file: the
    page of the system's health then says so.
    """
    missing = sweep().missing
    if missing:
        raise Refused(Code.DOCUMENT_MISSING, document=", ".join(str(number) for number in missing[:20]))


@job(
    "documents.dispose",
    title_zh="销毁保存期满的材料",
    title_en="Disposal of documents whose time is over",
    permission=Permission.DOCUMENT_DISPOSE,
)
def dispose(actor: Actor, progress: Any) -> dict[str, Any]:
    """All of the actor's organisation and below, in portions."""
    disposed = 0
    while portion := dispose_documents(actor):
        disposed += portion
        progress(disposed, disposed, "")
        if portion < AT_ONCE:
            break
    return {"disposed": disposed}
