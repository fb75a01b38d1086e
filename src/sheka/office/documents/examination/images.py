"""Pictures: bounded before they are decoded, turned upright, and encoded anew from their pixels alone.

What is not a pixel (EXIF with its place and time, comments, profiles, a ZIP or a page of HTML behind the picture) is
gone after that. Runs in the child.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

from PIL import Image, ImageFile, ImageOps

from sheka.office.documents.examination.refusing import Unfit

QUALITY = 90
LEAST_KEPT = 0.6
"""The part of a photo's area that must be left when it is cut to its shape: more would cut the head."""
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error)
"""What Pillow raises for a file that is not what it says."""


@dataclass(frozen=True, slots=True)
class Clean:
    """What is kept: the new file and its measures."""

    content: bytes
    width: int
    height: int
    pages: int | None = None


def clean_image(content: bytes, form: str, *, pixels: int, photo: tuple[int, int] | None) -> Clean:
    """The picture encoded anew in the same `form` ("jpeg", "png"), an identity photo cut to `photo` and as JPEG.

    Unfit: DOCUMENT_PIXELS before anything is decoded, DOCUMENT_DAMAGED, DOCUMENT_PHOTO.
    """
    Image.MAX_IMAGE_PIXELS = None  # the bound is ours, and is looked at first
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        picture = Image.open(io.BytesIO(content), formats=[form.upper()])
        bounded(picture.size, pixels)
        picture.load()
        plain = _pixels_of(ImageOps.exif_transpose(picture))
    except BROKEN:
        raise Unfit("DOCUMENT_DAMAGED") from None
    if photo:
        plain = _cut(plain, photo)
    out = io.BytesIO()
    if form == "png" and not photo:
        plain.save(out, "PNG")
    else:
        plain.convert("RGB").save(out, "JPEG", quality=QUALITY, subsampling=0 if photo else 2)
    return Clean(out.getvalue(), *plain.size)


def bounded(size: tuple[int, int], pixels: int) -> None:
    """Unfit(DOCUMENT_PIXELS) when a picture of this size would be too much to decode."""
    width, height = size
    if width * height > pixels:
        raise Unfit("DOCUMENT_PIXELS", width=width, height=height, limit=pixels // 1_000_000)


def _pixels_of(picture: Image.Image) -> Image.Image:
    """A new picture with nothing but the pixels: grey or colour, what shines through is white paper."""
    if picture.mode in ("1", "L"):
        plain = picture.convert("L")
    elif picture.mode.startswith("I"):  # sixteen bits of grey
        plain = picture.convert("I").point(lambda value: value / 256).convert("L")
    elif picture.has_transparency_data:
        over = picture.convert("RGBA")
        plain = Image.new("RGB", over.size, "white")
        plain.paste(over, mask=over.getchannel("A"))
    else:
        plain = picture.convert("RGB")
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    return bare


def _cut(picture: Image.Image, wanted: tuple[int, int]) -> Image.Image:
    """The middle of the picture in the wanted shape and size; what is cut off in height is taken from below."""
    width, height = picture.size
    ratio = wanted[0] / wanted[1]
    kept = (round(height * ratio), height) if width / height > ratio else (width, round(width / ratio))
    too_small = kept[0] < wanted[0] or kept[1] < wanted[1]
    if too_small or kept[0] * kept[1] < LEAST_KEPT * width * height:
        raise Unfit("DOCUMENT_PHOTO", width=width, height=height, wanted=f"{wanted[0]}×{wanted[1]}")
    left, top = (width - kept[0]) // 2, (height - kept[1]) // 4
    return picture.crop((left, top, left + kept[0], top + kept[1])).resize(wanted, Image.Resampling.LANCZOS)
