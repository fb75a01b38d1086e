"""Organisations by name in the reader's language, where a query gives only their code or their Chinese name."""

from __future__ import annotations

from collections.abc import Iterable

from sheka.faces.console.words import language
from sheka.office.organisations.queries import organisations_named


def labels(found: Iterable[str]) -> dict[str, str]:
    """Code or Chinese name → the name to show, for the organisations among `found`."""
    known = {}
    for row in organisations_named(found):
        known[row.code] = known[row.name] = row.label(language())
    return known
