"""Kinds of documents: what may be kept about what, in which shape, and for how long. Data, declared by each app.

Any installed app may have a file `document_kinds.toml`; a kind is a table in it:

    [id_card_copy]
    zh, en      its name
    subjects    with what it is kept: the words before the colon of a subject ("card", "exchange")
    types       of "jpeg", "png", "pdf"; empty for a kind that only the node itself makes
    max_kb      size of the file as it is sent
    max_pixels  million pixels of a picture, also of each picture inside a PDF (default 40)
    max_pages   of a PDF (default 1)
    photo       [width, height] in pixels when it is an identity photo that is cut to this shape
    camera      true when the page offers the camera
    years       how long it is kept after the day on which it came; `source` says who decided that
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.apps import apps

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

FILE = "document_kinds.toml"
MEDIA_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "pdf": "application/pdf"}
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of document may be. `max_kb` is 1024 bytes each, `max_pixels` a million each."""

    name: str
    zh: str
    en: str
    subjects: tuple[str, ...]
    types: tuple[str, ...]
    years: int
    source: str
    max_kb: int = 10240
    max_pixels: int = 40
    max_pages: int = 1
    photo: tuple[int, int] | None = None
    camera: bool = False

    @property
    def title(self) -> Term:
        return Term(self.zh, self.en)

    @property
    def max_bytes(self) -> int:
        return self.max_kb * 1024

    @property
    def accepted(self) -> str:
        """The types in words, for a sentence."""
        return ", ".join(name.upper() for name in self.types)


@cache
def kinds() -> dict[str, Kind]:
    """Every kind of every installed app. A kind declared twice stops the start."""
    found: dict[str, Kind] = {}
    for app in apps.get_app_configs():
        path = Path(app.path) / FILE
        if not path.is_file():
            continue
        for name, row in tomllib.loads(path.read_text("utf-8")).items():
            if name in found:
                raise ValueError(f"{path}: the kind {name} is declared already")
            if unknown := set(row.get("types", ())) - set(MEDIA_TYPES):
                raise ValueError(f"{path}: {name}: unknown types {unknown}")
            lists = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
            found[name] = Kind(name=name, **lists)
    return found


def kind_named(name: str) -> Kind:
    """Raises Refused(DOCUMENT_KIND)."""
    try:
        return kinds()[name]
    except KeyError:
        raise Refused(Code.DOCUMENT_KIND, kind=name, subject="*") from None


def kinds_for(subject: str) -> list[Kind]:
    """The kinds that somebody may bring about this subject, in the order of their declaration."""
    return [kind for kind in kinds().values() if kind.types and subject.partition(":")[0] in kind.subjects]
