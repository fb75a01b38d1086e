"""How things are written on a page: seals, money, dates as people write them, masked numbers."""

from __future__ import annotations

from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from sheka.faces.console.words import CARD_TONES, DOCUMENTS, EXCHANGE_TONES, LEVELS, WORDS
from sheka.foundation.money import format_yuan
from sheka.systems.cards.labels import EXCHANGE_STATES, FEE_RULES, STATES
from sheka.systems.cards.queries import ExchangeSummary

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


@register.simple_tag
def card_seal(state: str, label: str | None) -> SafeString:
    """The stamp of a card's state."""
    return seal(label or str(STATES[state]), CARD_TONES.get(state, "still"))


@register.simple_tag
def exchange_seal(state: str) -> SafeString:
    """The stamp of an exchange's state."""
    return seal(str(EXCHANGE_STATES[state]), EXCHANGE_TONES.get(state, "wait"))


@register.simple_tag
def fee_rule(exchange: ExchangeSummary) -> str:
    """The rule that decided the fee (R5), with the dates it rests on."""
    working = exchange.fee_working
    return " · ".join(
        str(part) for part in (FEE_RULES[working["rule"]], working.get("received_on"), working.get("last_free_day")) if part
    )


@register.simple_tag
def strip_of(exchange: ExchangeSummary) -> list[dict[str, object]]:
    """The counted days (R2): each with its date, whether it is a working day, and whether it is the due day."""
    rows = [{**row, "day": date.fromisoformat(row["day"])} for row in exchange.due_strip]
    return [{**row, "due": row["day"] == exchange.due_on} for row in rows]


@register.simple_tag
def document_word(kind: str) -> str:
    """What a document or a step is called."""
    return str(DOCUMENTS.get(kind, kind))
