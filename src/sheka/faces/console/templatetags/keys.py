"""How a key is named wherever it is named: name, algorithm, version and check value, always together (K1)."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sheka.faces.console.templatetags.look import algorithm as algorithm_word
from sheka.faces.console.templatetags.look import seal
from sheka.faces.console.words import in_chinese, language
from sheka.systems.keys.labels import CONSIGNMENT_STATES, CONSIGNMENT_TONES, KEY_STATES, KEY_TONES

register = template.Library()


@register.simple_tag
def key_name(name: str, algorithm: int, version: int, check_value: str) -> SafeString:
    """IRK SM4 第1版 · 82E13665"""
    told = f"第 {version} 版" if in_chinese() else f"v{version}"
    return format_html(
        '<span class="key-name"><b class="number">{}</b> {} {} <span class="number key-name__check">{}</span></span>',
        name,
        algorithm_word(algorithm),
        told,
        check_value or "—",
    )


@register.simple_tag
def key_seal(state: str) -> SafeString:
    """The stamp of a key's state."""
    return seal(KEY_STATES[state].text(language()), KEY_TONES[state])


@register.simple_tag
def consignment_seal(state: str) -> SafeString:
    """The stamp of a consignment's state."""
    return seal(CONSIGNMENT_STATES[state].text(language()), CONSIGNMENT_TONES[state])
