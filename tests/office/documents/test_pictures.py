"""Pictures: only pixels are kept, and a bomb costs nothing but its refusal."""

from __future__ import annotations

import io
import time

import pytest
from PIL import Image
from tests.support.files import huge_png, picture

from sheka.foundation.refusals import Code
from sheka.office.documents.examination import examine as node_side
from sheka.office.documents.examination.examine import examine
from sheka.office.documents.kinds import kind_named, kinds

COPY = "id_card_copy"


@pytest.fixture
def copy():
    return kind_named(COPY)


def opened(content):
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_sort_of_png_is_encoded_anew(copy, mode):
    found = examine(picture("PNG", mode=mode), copy)
    assert (found.media_type, found.width, found.height, found.pages) == ("image/png", 800, 600, None)
    assert opened(found.content).size == (800, 600)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_sort_of_jpeg_is_encoded_anew(copy, mode):
    found = examine(picture("JPEG", mode=mode), copy)
    assert found.media_type == "image/jpeg"
    assert opened(found.content).mode in ("L", "RGB")


def test_where_and_when_a_picture_was_taken_is_gone_and_it_stands_upright(copy):
    told = Image.Exif()
    told[0x0112], told[0x010E], told[0x8825] = 6, "海口市某小区", {1: "N", 2: (20.0, 1.0, 2.0)}
    found = examine(picture(exif=told, comment=b"a note of the camera"), copy)
    assert (found.width, found.height) == (600, 800)
    kept = opened(found.content)
    assert kept.getpixel((590, 10))[1] < 80, "the red corner of the top left is at the top right"
    assert not kept.getexif() and "comment" not in kept.info
    assert "某小区".encode() not in found.content and b"a note" not in found.content


def test_what_hides_behind_a_picture_is_gone(copy):
    found = examine(picture() + b"PK\x03\x04<html><script>alert(1)</script>", copy)
    assert b"script" not in found.content and b"PK\x03\x04" not in found.content
    text = examine(picture("PNG", pnginfo=_noted()), copy)
    assert b"secret" not in text.content


def _noted():
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Comment", "secret", zip=False)
    return info


def test_a_picture_bomb_is_refused_before_it_is_decoded(copy, refused):
    bomb = huge_png(30_000, 30_000)
    assert len(bomb) < copy.max_bytes
    begun = time.monotonic()
    error = refused(Code.DOCUMENT_PIXELS, examine, bomb, copy)
    assert time.monotonic() - begun < 15
    assert "30000×30000" in error.text("en")


@pytest.mark.parametrize("content", [picture()[:-500], picture()[:40], picture("PNG")[:300], b"\x89PNG\r\n\x1a\n" * 9])
def test_what_is_cut_short_is_refused(copy, refused, content):
    refused(Code.DOCUMENT_DAMAGED, examine, content, copy)


@pytest.mark.parametrize(
    "content",
    [b"GIF89a" + bytes(50), b"<svg onload=alert(1)>", b"MZ" + bytes(90), b"%!PS", b" %PDF-1.7", picture("BMP"), b"hi"],
)
def test_any_other_type_is_refused_whatever_it_is_called(copy, refused, content):
    refused(Code.DOCUMENT_TYPE, examine, content, copy)


def test_an_empty_file_and_one_that_is_too_large_are_refused(copy, refused):
    refused(Code.DOCUMENT_EMPTY, examine, b"", copy)
    error = refused(Code.DOCUMENT_TOO_BIG, examine, b"\xff\xd8\xff" + bytes(copy.max_bytes), copy)
    assert error.http == 413 and str(copy.max_kb) in error.text("en")


def test_a_photo_is_cut_to_the_shape_of_the_card(refused):
    photo = kind_named("holder_photo")
    found = examine(picture("PNG", size=(900, 1000)), photo)
    assert (found.media_type, found.width, found.height) == ("image/jpeg", 358, 441)
    assert opened(found.content).getpixel((5, 5))[0] > 200
    for size in ((1800, 640), (200, 260), (300, 1500)):
        refused(Code.DOCUMENT_PHOTO, examine, picture(size=size), photo)


def test_a_child_that_hangs_or_dies_refuses_one_file_and_nothing_else(copy, refused, monkeypatch):
    monkeypatch.setattr(node_side, "SECONDS", 0.001)
    assert "too long" in refused(Code.DOCUMENT_EXAMINATION, examine, picture(), copy).text("en")
    monkeypatch.setattr(node_side, "SECONDS", 30)
    monkeypatch.setattr(node_side, "CHILD", "this.module.is.not.there")
    assert "broke off" in refused(Code.DOCUMENT_EXAMINATION, examine, picture(), copy).text("en")
    monkeypatch.undo()
    assert examine(picture(), copy).width == 800


def test_only_so_many_are_examined_at_once(copy, refused, monkeypatch):
    monkeypatch.setattr(node_side, "PATIENCE_SECONDS", 0.1)
    for _ in range(node_side.AT_ONCE):
        assert node_side._places.acquire(blocking=False)
    try:
        refused(Code.DOCUMENT_BUSY, examine, picture(), copy)
    finally:
        for _ in range(node_side.AT_ONCE):
            node_side._places.release()


def test_the_child_takes_its_bounds_before_it_reads():
    """Without them a hostile file could fill the memory of the node or write to its disk."""
    import subprocess
    import sys

    probe = (
        'import resource, runpy, sys, io; sys.argv = [\'child\', \'{"form": "png", "pixels": 1, "photo": null}\'];'
        "runpy.run_module('sheka.office.documents.examination.child', run_name='__main__');"
        "print(resource.getrlimit(resource.RLIMIT_AS)[1], resource.getrlimit(resource.RLIMIT_FSIZE)[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], input=picture("PNG"), capture_output=True, timeout=60, check=True
    )
    assert b"DOCUMENT_PIXELS" in done.stdout and done.stdout.endswith(b"1073741824 0\n")


def test_every_kind_says_what_it_is_and_how_long_it_is_kept():
    for kind in kinds().values():
        assert kind.zh and kind.en and kind.source and kind.subjects and 0 < kind.years <= 100, kind.name
        assert kind.max_bytes <= 32 * 2**20, "a form carries no more"
