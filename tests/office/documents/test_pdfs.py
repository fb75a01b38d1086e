"""PDF: nothing that acts, nothing packed without bound, nothing that no page uses."""

from __future__ import annotations

import io
import time
import zlib

import pytest
from pypdf import PdfReader, PdfWriter
from tests.support.files import CONTENT, flate, pdf, pdf_with_packed_object, picture, stream, zeros

from sheka.foundation.refusals import Code
from sheka.office.documents.examination.examine import examine
from sheka.office.documents.kinds import kind_named

SCRIPT = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"


@pytest.fixture
def material():
    return kind_named("approval_material")


def test_a_sound_pdf_is_written_anew_from_its_pages(material):
    found = examine(pdf(stream(b"nobody uses this"), pages=3), material)
    assert (found.media_type, found.pages, found.width) == ("application/pdf", 3, 200)
    assert b"nobody uses this" not in found.content
    kept = PdfReader(io.BytesIO(found.content), strict=True)
    assert [page.get_contents().get_data().strip() for page in kept.pages] == [CONTENT] * 3
    assert examine(pdf(pages=3), material).content == examine(pdf(pages=3), material).content


def test_what_is_written_about_the_author_is_gone(material):
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_metadata({"/Author": "Zhang San", "/Producer": "a scanner"})
    out = io.BytesIO()
    writer.write(out)
    found = examine(out.getvalue(), material)
    assert b"Zhang San" not in found.content and b"a scanner" not in found.content


def test_a_place_to_begin_at_is_no_action(material):
    assert examine(pdf(catalog=b"/OpenAction [100 0 R /FitH 200]"), material).pages == 1


DISGUISES = {
    "when it opens": pdf(SCRIPT, catalog=b"/OpenAction 10 0 R"),
    "escaped names": pdf(b"<< /S /J#61va#53cript /J#53 (x) >>", catalog=b"/Open#41ction 10 0 R"),
    "in an object stream": pdf_with_packed_object(SCRIPT),
    "when a page opens": pdf(SCRIPT, page=b"/AA << /O 10 0 R >>"),
    "behind a link": pdf(
        b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A 11 0 R >>", SCRIPT, page=b"/Annots [10 0 R]"
    ),
    "in the tree of names": pdf(SCRIPT, catalog=b"/Names << /JavaScript << /Names [(a) 10 0 R] >> >>"),
    "in an object of no page": pdf(SCRIPT),
    "in a stream's dictionary": pdf(stream(b"x", b"/Next " + SCRIPT)),
    "after another action": pdf(b"<< /S /GoTo /D [100 0 R /Fit] /Next [" + SCRIPT + b"] >>"),
    "a script that is a stream": pdf(b"<< /S /Java#53cript /JS 11 0 R >>", flate(b"app.alert(1)")),
    "a programme to start": pdf(b"<< /S /Launch /F (cmd.exe) >>", catalog=b"/OpenAction 10 0 R"),
    "a form that is sent": pdf(b"<< /S /SubmitForm /F (http://example.invalid) >>"),
    "another file": pdf(b"<< /S /GoToR /F (//host/share) /D [0 /Fit] >>"),
    "an attachment": pdf(
        b"<< /Type /Filespec /F (a.exe) /EF << /F 11 0 R >> >>",
        stream(b"MZ", b"/Type /EmbeddedFile"),
        catalog=b"/Names << /EmbeddedFiles << /Names [(a) 10 0 R] >> >>",
    ),
    "an attachment on a page": pdf(b"<< /Subtype /FileAttachment /Rect [0 0 9 9] >>", page=b"/Annots [10 0 R]"),
    "rich media": pdf(b"<< /Subtype /RichMedia /RichMediaContent << >> >>", page=b"/Annots [10 0 R]"),
    "an XFA form": pdf(stream(b"<xdp/>"), catalog=b"/AcroForm << /Fields [] /XFA 10 0 R >>"),
    "a film": pdf(b"<< /Subtype /Screen /Rect [0 0 9 9] >>", page=b"/Annots [10 0 R]"),
    "a stream in another file": pdf(stream(b"", b"/F (//host/share)")),
    "an unknown filter": pdf(stream(b"abc", b"/Filter [/Crypt /FlateDecode]")),
}


@pytest.mark.parametrize("content", DISGUISES.values(), ids=DISGUISES)
def test_what_acts_is_refused_in_every_disguise(material, refused, content):
    refused(Code.DOCUMENT_ACTIVE, examine, content, material)


def test_a_script_of_an_earlier_revision_does_not_come_along(material):
    """A reader that mends a broken table might find it again."""
    first = pdf(SCRIPT)
    start = first.rindex(b"startxref")
    old = int(first[start:].split()[1])
    body = b"10 0 obj\n<< /Harmless true >>\nendobj\n"
    table = b"xref\n10 1\n%010d 00000 n \ntrailer\n<< /Size 101 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n"
    content = first + body + table % (len(first), old, len(first) + len(body))
    found = examine(content, material)
    assert b"JavaScript" not in found.content


def test_a_signed_pdf_is_refused_because_its_signature_would_break(material, refused):
    refused(Code.DOCUMENT_SIGNED, examine, pdf(b"<< /Type /Sig /ByteRange [0 1 2 3] >>"), material)
    refused(Code.DOCUMENT_SIGNED, examine, pdf(b"<< /FT /Sig /T (a) >>"), material)


def test_an_encrypted_pdf_is_refused(material, refused):
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    refused(Code.DOCUMENT_ENCRYPTED, examine, out.getvalue(), material)


PACKED = b"/Filter /FlateDecode"
BOMBS = {
    "one stream": pdf(stream(zeros(300), PACKED)),
    "many streams": pdf(*[stream(zeros(40), PACKED)] * 8),
    "packed twice": pdf(stream(zlib.compress(zeros(300), 9), b"/Filter [/FlateDecode /FlateDecode]")),
    "a chain": pdf(stream(zlib.compress(b"x"), b"/Filter [" + b"/FlateDecode " * 5 + b"]")),
    "run lengths": pdf(stream(b"\x81A" * 3_000_000, b"/Filter /RunLengthDecode")),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_bounded_time(material, refused, name):
    assert len(BOMBS[name]) < material.max_bytes
    begun = time.monotonic()
    refused(Code.DOCUMENT_EXPANDS, examine, BOMBS[name], material)
    assert time.monotonic() - begun < 20


def test_a_bomb_in_an_object_stream_ends_with_a_refusal(material):
    from sheka.foundation.refusals import Refused

    with pytest.raises(Refused) as caught:
        examine(pdf_with_packed_object(b"", zeros(300)), material)
    assert caught.value.code in (Code.DOCUMENT_EXPANDS, Code.DOCUMENT_DAMAGED, Code.DOCUMENT_EXAMINATION)


def test_a_picture_inside_is_bounded_by_its_own_header(material, refused):
    large = picture(size=(9000, 6000), quality=5)
    said = b"/Subtype /Image /Width 10 /Height 10 /Filter /DCTDecode"
    refused(Code.DOCUMENT_PIXELS, examine, pdf(stream(large, said)), material)
    refused(Code.DOCUMENT_PIXELS, examine, pdf(stream(b"", b"/Subtype /Image /Width 90000 /Height 90000")), material)
    refused(Code.DOCUMENT_DAMAGED, examine, pdf(stream(b"no jpeg", said)), material)
    assert examine(pdf(stream(picture(), said)), material).pages == 1


def test_the_number_of_pages_is_bounded(material, refused):
    assert "101" in refused(Code.DOCUMENT_PAGES, examine, pdf(pages=101), material).text("en")
    refused(Code.DOCUMENT_PAGES, examine, pdf(pages=3), kind_named("id_card_copy"))


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\n",
        pdf()[: len(pdf()) // 2],
        pdf().replace(b"startxref\n", b"startxref\n9"),
        pdf().replace(b"/Root 1 0 R", b"/Root 9 0 R"),
        pdf(stream(b"not packed at all", b"/Filter /FlateDecode")),
        pdf().replace(b"/Pages 2 0 R", b"/Pages 1 0 R"),
        b"%PDF-1.7\n" + b"<<" * 20_000,
    ],
    ids=["head only", "half", "wrong place", "no root", "not packed", "a circle", "deep"],
)
def test_a_broken_pdf_is_refused(material, content):
    from sheka.foundation.refusals import Refused

    with pytest.raises(Refused) as caught:
        examine(content, material)
    assert caught.value.code in (Code.DOCUMENT_DAMAGED, Code.DOCUMENT_PAGES)
