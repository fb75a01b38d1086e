"""Words of PSAMs in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sheka.faces.console.words import language
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor


def said(term: Term) -> str:
    """A term in the language of the page."""
    return term.text(language())


def offered(words: Mapping[str, Term]) -> list[tuple[str, str]]:
    """Choices of a form."""
    return [(str(value), said(word)) for value, word in words.items()]


def choices(words: Mapping[str, Term]) -> Callable[[Actor], list[tuple[str, str]]]:
    """Choices of a filter, in whatever language the list is read."""
    return lambda actor: offered(words)
