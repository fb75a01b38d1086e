"""The store compared with the table: files without a row go, rows without a file are told."""

from __future__ import annotations

from dataclasses import dataclass

from sheka.office.documents import store
from sheka.office.documents.models import Document
from sheka.office.scope import whole_node

PATIENCE_SECONDS = 3600
"""A file that is younger may belong to a transaction that has not ended yet."""


@dataclass(frozen=True, slots=True)
class Swept:
    """`removed`: files that no row names (left by a roll-back or a stop). `missing`: documents whose file is gone."""

    removed: int
    missing: list[int]


def sweep(patience: float = PATIENCE_SECONDS) -> Swept:
    """Tidy the store of this node."""
    with whole_node("the store holds the documents of every organisation of the node"):
        named = dict(Document.objects.filter(state="kept").values_list("stored", "pk"))
        orphans = [path for path in store.files_older_than(patience) if path.name not in named]
        for path in orphans:
            path.unlink(missing_ok=True)
        missing = [number for name, number in named.items() if not store.path_of(name).is_file()]
    return Swept(len(orphans), sorted(missing))
