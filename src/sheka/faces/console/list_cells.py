"""What a value of a list is on the page and in a file: the same value, written for a reader or for a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from html import unescape

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from sheka.faces.console.templatetags.look import clock, count, day, seal, tongue, yuan

NOTHING = "—"
LONGEST = 32_000
"""Characters of a cell; Excel takes 32,767."""
_RISKY = tuple("=+-@\t\r\n＝＋－＠")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A state: the word says it, the tone repeats it (good, wait, stop, info, still)."""

    word: str | Promise
    tone: str = "still"


def shown(value: object, kind: str) -> SafeString | str:
    """A value as a page writes it."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, Stamp):
        return seal(str(value.word), value.tone)
    if isinstance(value, SafeString):
        return value
    if isinstance(value, datetime):
        return f"{day(value)} {clock(value)}"
    if isinstance(value, date):
        return day(value)
    if isinstance(value, int) and kind in ("money", "amount"):
        return yuan(value) if kind == "money" else count(value)
    return tongue(value)


def filed(value: object, kind: str) -> str | int | Decimal | date | datetime | None:
    """A value as a sheet holds it: moments of Shanghai, money in yuan, everything else as text that no programme takes
    for a formula.
    """
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None)
    if value is None or isinstance(value, date | Decimal):
        return value
    if isinstance(value, int) and kind in ("money", "amount"):
        return Decimal(value) / 100 if kind == "money" else value
    text = str(value.word) if isinstance(value, Stamp) else str(value)
    return guarded(unescape(strip_tags(text)) if isinstance(value, SafeString) else text)


def guarded(text: str) -> str:
    """Text that begins like a formula gets an apostrophe in front: the sheet may be saved as CSV and opened again
    (OWASP, CSV injection; the full-width signs count too).

    >>> guarded("=1+1"), guarded(" @SUM(A1)"), guarded("460-1")
    ("'=1+1", "' @SUM(A1)", '460-1')
    """
    risky = text.startswith(_RISKY) or text.lstrip().startswith(_RISKY)
    return ("'" + text if risky else text)[:LONGEST]
