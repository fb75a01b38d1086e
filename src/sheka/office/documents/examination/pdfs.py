"""PDF: searched through, then written anew from its pages, so that what no page uses does not come along.

Runs in the child.
"""

from __future__ import annotations

import io
import struct

from pypdf import PdfReader, PdfWriter
from pypdf.errors import LimitReachedError, PyPdfError

from sheka.office.documents.examination.images import Clean
from sheka.office.documents.examination.pdf_objects import search
from sheka.office.documents.examination.pdf_streams import Unpacked
from sheka.office.documents.examination.refusing import Unfit

EXPANSION = 256 << 20
BROKEN = (
    PyPdfError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OSError,
    RecursionError,
    struct.error,
)
"""What pypdf raises for a file that is not a sound PDF."""


def clean_pdf(content: bytes, *, pixels: int, pages: int) -> Clean:
    """The pages in a new file. Links are taken off, what was filled into a form stays as it is seen.

    Unfit: DOCUMENT_ENCRYPTED, DOCUMENT_PAGES, DOCUMENT_ACTIVE, DOCUMENT_SIGNED, DOCUMENT_EXPANDS, DOCUMENT_PIXELS,
    DOCUMENT_DAMAGED.
    """
    try:
        reader = PdfReader(io.BytesIO(content), strict=True)
        if reader.is_encrypted:
            raise Unfit("DOCUMENT_ENCRYPTED")
        search(reader, pixels=pixels, unpacked=Unpacked(EXPANSION))
        count = len(reader.pages)
        if not 1 <= count <= pages:
            raise Unfit("DOCUMENT_PAGES", got=count, limit=pages)
        return _written_anew(reader)
    except LimitReachedError:
        raise Unfit("DOCUMENT_EXPANDS", limit=EXPANSION >> 20) from None
    except BROKEN:
        raise Unfit("DOCUMENT_DAMAGED") from None


def _written_anew(reader: PdfReader) -> Clean:
    writer = PdfWriter()
    writer.metadata = None
    for page in reader.pages:
        writer.add_page(page)
    writer.remove_links()
    out = io.BytesIO()
    writer.write(out)
    first = reader.pages[0].mediabox
    return Clean(out.getvalue(), round(first.width), round(first.height), len(reader.pages))
