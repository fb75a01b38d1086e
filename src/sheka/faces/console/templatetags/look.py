"""How things are written on a page: seals, money, dates as people write them, masked numbers, the tongue of a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from sheka.faces.console.events import word_of
from sheka.faces.console.words import (
    CARD_TONES,
    DOCUMENTS,
    EXCHANGE_TONES,
    LEVELS,
    WORDS,
    in_chinese,
    language,
)
from sheka.foundation.money import format_yuan
from sheka.foundation.refusals import Code, Refused, sentence
from sheka.office.organisations.models import Organisation
from sheka.systems.cards.labels import EXCHANGE_STATES, STATES
from sheka.systems.transactions.labels import KINDS

register = template.Library()

_HAN = "\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CHINESE = re.compile(f"[{_HAN}][{_HAN}\u3000-\u303f\uff00-\uffef·]*")
_ISO_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_LATIN = re.compile(r"([A-Za-z][A-Za-z0-9 ,;._/:-]*[A-Za-z0-9])")
_HIDDEN = re.compile(r"\*+")


@register.filter
def yuan(fen: int) -> str:
    """123456 → 1,234.56元, ¥1,234.56 in English."""
    return format_yuan(fen, language())


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
    if in_chinese():
        short = f"{moment.month}月{moment.day}日"
        return short if this_year else f"{moment.year}年{short}"
    return f"{moment.day} {moment:%B}" if this_year else f"{moment.day} {moment:%B} {moment.year}"


@register.filter
def clock(value: datetime | None) -> str:
    """09:12 in Shanghai."""
    return "" if value is None else f"{timezone.localtime(value):%H:%M}"


@register.filter
def moment(value: datetime | str) -> str:
    """2026年11月22日 09:12, a moment on paper: the year is always said."""
    at = timezone.localtime(datetime.fromisoformat(value) if isinstance(value, str) else value)
    told = f"{at.year}年{at.month}月{at.day}日" if in_chinese() else f"{at.day} {at:%B} {at.year}"
    return f"{told} {at:%H:%M}"


@register.filter
def dated(text: str) -> str:
    """Dates in a sentence as people write them: 2026-12-01 → 12月1日."""
    return _ISO_DAY.sub(lambda found: day(date.fromisoformat(found[0])), text)


@register.filter
def masked(number: str) -> str:
    """460***********9803 → 460 •••• 9803: what is hidden is seen to be hidden, and takes no more room than it needs."""
    return _HIDDEN.sub(" •••• ", number)


@register.filter
def tongue(text: object) -> SafeString:
    """Chinese inside an English page is marked as Chinese, so that a screen reader says it right."""
    return conditional_escape(str(text)) if in_chinese() else recorded(text)


@register.filter
def recorded(text: object) -> SafeString:
    """Chinese inside a text that is English on every page, such as the facts of an audit row, is marked as Chinese."""
    escaped = conditional_escape(str(text))
    return mark_safe(_CHINESE.sub(r'<span lang="zh-Hans">\g<0></span>', escaped))  # noqa: S308 - escaped above


@register.filter
def tongue_mark(text: object) -> SafeString:
    """The attribute that marks an element, such as an option, whose text is Chinese on an English page."""
    marked = not in_chinese() and _CHINESE.search(str(text))
    return format_html(' lang="{}"', "zh-Hans") if marked else SafeString()


@register.filter
def mixed(text: object) -> SafeString:
    """A text with names of programs in it: on a Chinese page what is Latin is marked as English."""
    if not in_chinese():
        return tongue(text)
    marked = (
        (format_html('<span lang="en">{}</span>', part) if number % 2 else part,)
        for number, part in enumerate(_LATIN.split(str(text)))
    )
    return format_html_join("", "{}", marked)


@register.filter
def place(code: str, labels: Mapping[str, str]) -> str:
    """An organisation's name in the reader's language, by its code or its Chinese name; else as it is."""
    return labels.get(code, code)


@register.filter
def named(organisation: Organisation) -> str:
    """An organisation's name in the reader's language."""
    return organisation.label(language())


@register.filter
def by_whom(name: str) -> str:
    """Who did something: a person by the name, a process of the node as the system."""
    return gettext("by the system") if name.startswith("process:") else name


@register.filter
def hexed(value: bytes | memoryview, characters: int) -> str:
    """The first characters of a binary value in hexadecimal."""
    return bytes(value).hex()[:characters]


@register.filter
def count(number: int) -> str:
    """100000 → 100,000."""
    return f"{number:,}"


@register.filter
def share_of(number: int, most: int) -> int:
    """The length of a bar, 0 to 100; what is not nothing is at least 1."""
    return max(1, round(100 * number / most)) if number else 0


@register.filter
def algorithm(number: int) -> str:
    """SM4 or 3DES, by the card's algorithm id."""
    return {1: "3DES", 3: "SM4"}[number]


@register.simple_tag
def demo_mark() -> SafeString:
    """What stands on every page of a demonstration, whatever its language; nothing on a node that is none (K4)."""
    if not settings.NODE.demo:
        return SafeString()
    return format_html(
        '<strong class="demo__mark"><span lang="zh-Hans">{}</span> <span lang="en">{}</span></strong>', "演示", "DEMO"
    )


@register.simple_tag
def state_seal(state: str) -> SafeString:
    """The stamp of a state, from the one table of words and tones."""
    word, tone = WORDS.get(state, (state, "still"))
    return seal(str(word), tone)


@register.simple_tag
def level_name(level: str) -> str:
    """Ministry, province, city or chip maker in the reader's language."""
    return str(LEVELS.get(level, level))


@register.simple_tag
def card_seal(state: str) -> SafeString:
    """The stamp of a card's state."""
    return seal(str(STATES[state]), CARD_TONES.get(state, "still"))


@register.simple_tag
def exchange_seal(state: str) -> SafeString:
    """The stamp of an exchange's state."""
    return seal(str(EXCHANGE_STATES[state]), EXCHANGE_TONES.get(state, "wait"))


@register.simple_tag
def document_word(kind: str) -> str:
    """What a document or a step is called."""
    return str(DOCUMENTS.get(kind, kind))


@register.simple_tag
def event_word(event: str) -> str:
    """What an audit event is called; one that has no word is shown by its code."""
    return str(word_of(event))


@register.simple_tag
def transaction_word(kind: int) -> str:
    """What a kind of transaction is called."""
    return KINDS[kind].text(language())


@register.simple_tag
def refusal_word(number: int) -> str:
    """What a numbered refusal of a transaction means; nothing where the sentence needs facts that were not kept."""
    code = Code(number)
    return "" if "{" in sentence(code).en else Refused(code).text(language())
