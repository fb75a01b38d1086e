"""File names as they are kept: a label for the reader, never a path, never a person's number."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 80
_LONG_NUMBER = re.compile(r"[0-9]{6,}[0-9Xx]?")
_LEFT_OUT = re.compile(r'[\x00-\x1f\x7f<>:"|?*%;\\/]')


def label_of(filename: str, extension: str) -> str:
    """The last part of what the browser sent, cleaned, with the extension of what the content really is.

    Control, format and private characters go; a run of six digits and more is masked: people name scans after ID cards.

    >>> label_of("C:\\\\scans\\\\..\\\\身份证 460100199001011234.JPG", "jpg")
    '身份证 ••••.jpg'
    >>> label_of("../../etc/passwd", "png"), label_of("...", "pdf")
    ('passwd.png', 'document.pdf')
    """
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", filename))[-1]
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", last)
    kept = "".join(letter for letter in stem if unicodedata.category(letter)[0] != "C")
    kept = " ".join(_LONG_NUMBER.sub("••••", _LEFT_OUT.sub("", kept)).split()).strip(". ")
    return f"{kept[:LONGEST].rstrip('. ') or 'document'}.{extension}"
