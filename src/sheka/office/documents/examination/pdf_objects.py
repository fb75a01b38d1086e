"""What may not be in a PDF, looked for in every object that its tables name: also packed ones, also those nobody uses.

pypdf reads names with their escapes undone (#4A#53 is JS), so a disguise of the spelling is none. Runs in the child.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from PIL import Image
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject, StreamObject

from sheka.office.documents.examination.images import BROKEN, bounded
from sheka.office.documents.examination.pdf_streams import Unpacked, filters_of
from sheka.office.documents.examination.refusing import Unfit

MOST_OBJECTS = 50_000
MOST_PARTS = 500_000


def _names(text: str) -> frozenset[str]:
    return frozenset(f"/{name}" for name in text.split())


ACTIVE = {
    "script": _names("JS JavaScript"),
    "action": _names("AA Launch SetOCGState"),
    "attachment": _names("EmbeddedFiles EmbeddedFile EF AF Collection FileAttachment"),
    "media": _names(
        "RichMedia RichMediaContent RichMediaSettings RichMediaExecute Rendition Movie Sound Screen 3D 3DD 3DV U3D PRC"
        " GoTo3DView"
    ),
    "form": _names("XFA SubmitForm ImportData"),
    "outside": _names("GoToE GoToR"),
}
"""Keys, actions, annotations and types that do something, carry a file, or reach outside of the document."""
TYPED = ("/S", "/Type", "/Subtype")


def search(reader: PdfReader, *, pixels: int, unpacked: Unpacked) -> None:
    """Look at every object. Unfit: DOCUMENT_ACTIVE, DOCUMENT_SIGNED, DOCUMENT_PIXELS, DOCUMENT_EXPANDS."""
    parts = 0
    for value in _objects(reader):
        for part in _parts(value):
            parts += 1
            if parts > MOST_PARTS:
                raise Unfit("DOCUMENT_EXPANDS", limit=unpacked.limit_mb)
            if isinstance(part, DictionaryObject):
                _look_at(part)
            if isinstance(part, StreamObject):
                _look_into(part, pixels, unpacked)


def _objects(reader: PdfReader) -> Iterator[Any]:
    """Every object of the tables, and the trailer."""
    numbers = [(number, generation) for generation, row in reader.xref.items() for number in row]
    numbers += [(number, 0) for number in reader.xref_objStm]
    if len(numbers) > MOST_OBJECTS:
        raise Unfit("DOCUMENT_DAMAGED")
    yield reader.trailer
    for number, generation in numbers:
        yield reader.get_object(IndirectObject(number, generation, reader))


def _parts(value: Any) -> Iterator[Any]:
    """A value and everything directly inside it; what it only refers to is an object of its own."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, DictionaryObject):
            waiting.extend(part.raw_get(key) for key in part)
        elif isinstance(part, ArrayObject):
            waiting.extend(list.__iter__(part))


def _look_at(part: DictionaryObject) -> None:
    keys = set(part.keys())
    named = {part.get(key) for key in TYPED if isinstance(part.get(key), NameObject)}
    for group, names in ACTIVE.items():
        if (keys | named) & names:
            raise Unfit("DOCUMENT_ACTIVE", found=group)
    if "/OpenAction" in keys and not isinstance(part["/OpenAction"], ArrayObject):  # an array is a place to begin at
        raise Unfit("DOCUMENT_ACTIVE", found="action")
    if "/ByteRange" in keys or part.get("/FT") == "/Sig" or "/Sig" in named:
        raise Unfit("DOCUMENT_SIGNED")


def _look_into(part: StreamObject, pixels: int, unpacked: Unpacked) -> None:
    if "/F" in part or "/FFilter" in part:
        raise Unfit("DOCUMENT_ACTIVE", found="outside")
    if part.get("/Subtype") == "/Image":
        bounded((int(part.get("/Width", 0)), int(part.get("/Height", 0))), pixels)
    if filters_of(part)[-1:] == ["/DCTDecode"]:  # what a reader decodes is what stands in the JPEG itself
        try:
            size = Image.open(io.BytesIO(unpacked.before_picture(part)), formats=["JPEG"]).size
        except BROKEN:
            raise Unfit("DOCUMENT_DAMAGED") from None
        bounded(size, pixels)
    else:
        unpacked.count(part)
