"""Every address of the console, found in the URL configuration: its name, its marks, and an address of nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RoutePattern

from sheka.office.staff.permissions import Permission

SAMPLES = (
    "987654321",
    "nothing",
    "00000000-0000-4000-8000-000000000000",
    "2026-01-01",
    "H46010020261122999999",
    "exchange:H46010020261122999999",
    "D9999999X",
    "ab" * 32,
)
"""Words that fit the converters and name nothing."""


@dataclass(frozen=True)
class Page:
    """A view of the console at an address. `opens_for` None: open to strangers."""

    name: str
    address: str
    view: Callable[..., Any]
    opens_for: frozenset[Permission] | None
    detail: bool

    def opens(self, held: frozenset[Permission]) -> bool:
        return not self.opens_for or bool(self.opens_for & held)


def pages() -> list[Page]:
    """Every page of the console that is not open to strangers."""
    found = []
    for route, pattern in _patterns(get_resolver().url_patterns):
        view = pattern.callback
        if route.startswith("api/") or getattr(view, "open_to_all", False):
            continue
        opens_for = getattr(view, "opens_for", None)
        found.append(Page(pattern.name or route, "/" + _filled(route, pattern), view, opens_for, "<" in route))
    return found


def _patterns(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern
        else:
            yield from _patterns(pattern.url_patterns, prefix + str(pattern.pattern))


def _filled(route: str, pattern: URLPattern) -> str:
    assert isinstance(pattern.pattern, RoutePattern), route
    for name, converter in pattern.pattern.converters.items():
        word = next(word for word in SAMPLES if re.fullmatch(converter.regex, word))
        route = re.sub(rf"<(?:\w+:)?{name}>", word, route)
    return route
