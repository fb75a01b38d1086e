"""Organisations by name in the reader's language, where a query gives only their code or their Chinese name."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from sheka.faces.console.words import language
from sheka.office.organisations.models import Organisation


def labels(found: Iterable[str]) -> dict[str, str]:
    """Code or Chinese name → the name to show, for the organisations among `found`."""
    sought = set(found)
    rows = Organisation.objects.filter(Q(code__in=sought) | Q(name__in=sought))
    known = {}
    for row in rows:
        known[row.code] = known[row.name] = row.label(language())
    return known
