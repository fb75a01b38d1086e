"""How things are written on a page: seals, money, dates as people write them, masked numbers."""

from __future__ import annotations

from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from sheka.faces.console.words import LEVELS, WORDS
from sheka.foundation.money import format_yuan

register = template.Library()


@register.filter
def yuan(fen: int) -> str:
    """123456 → ¥1,234.56."""
    return format_yuan(fen, get_language() or "zh-hans")


@register.simple_tag
def seal(word: str, tone: str) -> SafeString:
    """A small stamped label: the word says it, the colour repeats it."""
    return format_html('<span class="seal seal--{}">{}</span>', tone, word)


@register.filter
def day(value: date | datetime | None) -> str:
    """11月20日, with the year when it is not this one; 20 November in English."""
    if value is None:
        return "—"
    moment = timezone.localtime(value).date() if isinstance(value, datetime) else value
    this_year = moment.year == timezone.localdate().year
    if (get_language() or "zh").startswith("zh"):
        short = f"{moment.month}月{moment.day}日"
        return short if this_year else f"{moment.year}年{short}"
    return f"{moment.day} {moment:%B}" if this_year else f"{moment.day} {moment:%B} {moment.year}"


@register.filter
def clock(value: datetime | None) -> str:
    """09:12 in Shanghai."""
    return "" if value is None else f"{timezone.localtime(value):%H:%M}"


@register.filter
def hexed(value: bytes | memoryview, characters: int) -> str:
    """The first characters of a binary value in hexadecimal."""
    return bytes(value).hex()[:characters]


@register.simple_tag
def state_seal(state: str) -> SafeString:
    """The stamp of a state, from the one table of words and tones."""
    word, tone = WORDS.get(state, (state, "still"))
    return seal(str(word), tone)


@register.simple_tag
def level_name(level: str) -> str:
    """Ministry, province or city in the reader's language."""
    return str(LEVELS.get(level, level))
