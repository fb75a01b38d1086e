"""From facts to a PDF: the same draft gives the same bytes (PDF/A-2a, tagged, no clock in it).

The facts reach the template as JSON, so nothing in them is ever read as markup; PDF/A refuses a missing glyph.
"""

from __future__ import annotations

import io
import json
import logging
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import segno
import typst

from sheka.foundation.refusals import Code, Refused
from sheka.office.documents.models import spaced
from sheka.office.documents.papers.fonts import covered, folders, writable
from sheka.office.documents.papers.templates import FOLDER, Template
from sheka.office.organisations.models import Organisation

log = logging.getLogger("sheka.documents")


@dataclass(frozen=True, slots=True)
class Draft:
    """A paper before it is printed. `address` is where its code is verified, without the code. `demo`: it comes from a
    demonstration, whose machines need no certificate (K4), and says so across every page.
    """

    template: Template
    number: str
    organisation: Organisation
    facts: dict[str, Any]
    code: str
    address: str
    issued: date
    demo: bool = False

    @property
    def spaced_code(self) -> str:
        """AAAAA-BBBBB-CCCCC-DDDDD, as somebody types it."""
        return spaced(self.code)


def printed(draft: Draft, form: str = "pdf") -> bytes:
    """The paper as PDF (or its first page as PNG, to look at). Raises Refused: PAPER_FONTS, PAPER_NOT_MADE."""
    missing: list[str] = []
    kind, place = draft.template.kind, draft.organisation
    paper = {
        "title": [kind.zh, kind.en],
        "number": draft.number,
        "organisation": [place.name, place.name_en],
        "code": draft.spaced_code,
        "verify": draft.address,
        "issued": draft.issued.isoformat(),
        "demo": draft.demo,
        "facts": draft.facts,
    }
    paper = writable(paper, covered(), missing) | {"missing": missing}
    try:
        made = typst.compile(
            FOLDER / f"{draft.template.name}.typ",
            root=FOLDER,
            font_paths=_fonts(tuple(folders())),
            ignore_system_fonts=True,
            format=form,
            pdf_standards=["a-2a"] if form == "pdf" else [],
            sys_inputs={"paper": json.dumps(paper, ensure_ascii=False), "qr": qr_code(draft)},
        )
    except typst.TypstError as error:
        log.error("the paper %s was not made: %s", draft.template.name, error.message)
        raise Refused(Code.PAPER_NOT_MADE, template=kind.title) from None
    return made[0] if isinstance(made, list) else made


def qr_code(draft: Draft) -> str:
    """The QR code as SVG: the address of the verify page with the code, and nothing else."""
    out = io.BytesIO()
    segno.make(f"{draft.address}/{draft.spaced_code}", error="m", micro=False).save(out, kind="svg", border=0, scale=4)
    return out.getvalue().decode()


@lru_cache(maxsize=4)
def _fonts(places: tuple[Path, ...]) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=list(places))
