"""Files that people send, and files that nobody should: pictures, PDFs written by hand, bombs, scripts in disguise."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import Any

from PIL import Image, ImageDraw


def picture(form: str = "JPEG", size: tuple[int, int] = (800, 600), mode: str = "RGB", **options: Any) -> bytes:
    """A picture with something on it, so that turning and cutting can be seen."""
    made = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(made)
    draw.rectangle((0, 0, size[0] // 4, size[1] // 4), fill="red")
    out = io.BytesIO()
    made.convert(mode).save(out, form, **options)
    return out.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A sound PNG of so many pixels, all the same: a few hundred kilobytes that decode to a gigabyte."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer, row = zlib.compressobj(9), bytes((width + 7) // 8 + 1)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Resources << >> %s >>"
CONTENT = b"0 0 100 100 re f"


def stream(data: bytes, head: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), head, data)


def flate(data: bytes, head: bytes = b"") -> bytes:
    """A stream object that is packed."""
    return stream(zlib.compress(data, 9), b"/Filter /FlateDecode " + head)


@cache
def zeros(megabytes: int) -> bytes:
    """So many megabytes of zeros, packed (zlib), without ever holding them."""
    packer, piece = zlib.compressobj(1), bytes(1 << 20)
    return b"".join(packer.compress(piece) for _ in range(megabytes)) + packer.flush()


def pdf(*more: bytes, catalog: bytes = b"", page: bytes = b"", pages: int = 1, trailer: bytes = b"") -> bytes:
    """A PDF written by hand. `more` are objects 10, 11 …; `catalog`, `page` and `trailer` add to these dictionaries."""
    kids = b" ".join(b"%d 0 R" % (100 + n) for n in range(pages))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        2: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages),
        3: stream(CONTENT),
    }
    objects |= {10 + n: body for n, body in enumerate(more)}
    objects |= {100 + n: PAGE % (b"/Contents 3 0 R " + page) for n in range(pages)}
    return assembled(objects, trailer)


def assembled(objects: dict[int, bytes], trailer: bytes = b"") -> bytes:
    """The file of these objects with its cross-reference table."""
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), {}
    for number, body in sorted(objects.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number in sorted(places):
        out += b"%d 1\n%010d 00000 n \n" % (number, places[number])
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (max(places) + 1, trailer, start)
    return bytes(out)


def pdf_with_packed_object(hidden: bytes, packed: bytes = b"") -> bytes:
    """A PDF whose object 20 lies in an object stream, and whose tables are a stream too (PDF 1.5). `packed`: the object
    stream as it is, packed already.
    """
    packed = packed or zlib.compress(b"20 0 " + hidden)
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R /Hidden 20 0 R >>",
        2: b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        3: stream(CONTENT),
        4: PAGE % b"/Contents 3 0 R",
        5: stream(packed, b"/Filter /FlateDecode /Type /ObjStm /N 1 /First 5"),
    }
    out, rows = bytearray(b"%PDF-1.7\n"), {0: (0, 0, 65535), 20: (2, 5, 0)}
    for number, body in objects.items():
        rows[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    rows[6] = (1, start, 0)
    table = b"".join(struct.pack(">BIH", *rows.get(number, (0, 0, 0))) for number in range(21))
    head = b"/Type /XRef /W [1 4 2] /Size 21 /Root 1 0 R"
    out += b"6 0 obj\n" + flate(table, head) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % start
    return bytes(out)
