"""Words of custody for a page: terms in the reader's language, stamps of states (K5-K7)."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import lazy

from sheka.faces.console.list_cells import Stamp
from sheka.faces.console.words import language
from sheka.foundation.terms import Term
from sheka.office.approvals.seats import place_term
from sheka.systems.custody.labels import KINDS, STATES, TONES

ORDER_TONES = {"asked": "wait", "approved": "info", "refused": "stop", "issued": "good"}
HAND_OVER_TONES = {
    "begun": "wait",
    "given": "wait",
    "completed": "good",
    "disputed": "stop",
    "cancelled": "still",
    "expired": "still",
    "recalled": "wait",
}
COUNT_TONES = {"open": "wait", "counted": "wait", "agreed": "good", "differed": "stop", "given_up": "still"}
ENTRUSTMENT_TONES = {"prepared": "info", "out": "wait", "back": "good", "given_up": "still"}
DESTRUCTION_TONES = {"open": "wait", "closed": "good", "given_up": "still"}


def said(term: Term) -> str:
    """A term in the language of this page."""
    return term.text(language())


def titled(term: Term) -> str:
    """The same where it stands by itself: it begins with a capital letter."""
    text = said(term)
    return text[:1].upper() + text[1:]


titled_later = lazy(titled, str)
"""The same, asked when the page is written: for what is declared when the process starts."""


def options(terms: Mapping[str, Term]) -> list[tuple[str, str]]:
    """Choices of a form or a filter."""
    return [(name, titled_later(term)) for name, term in terms.items()]


def stamp(state: str, terms: Mapping[str, Term], tones: Mapping[str, str]) -> Stamp:
    """The stamp of a state."""
    return Stamp(titled(terms[state]), tones[state])


def carrier_stamp(state: str) -> Stamp:
    """The stamp of a carrier's state."""
    return stamp(state, STATES, TONES)


def kind_word(kind: str) -> str:
    """Transmission key card …"""
    return titled(KINDS[kind])


def place_name(code: str) -> str:
    """An organisation's name in the reader's language; its code where this node does not know it."""
    return said(place_term(code))


def content_words(content: list[dict[str, object]]) -> str:
    """What is on a carrier, key by key with its check value."""
    return ", ".join(f"{row['name']} v{row['version']} · {row['check_value']}" for row in content) or "—"
