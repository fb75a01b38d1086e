"""Rows of several pools as one list in order, read from the front of each pool's own index.

`WHERE pool IN (…) ORDER BY due_on` makes PostgreSQL sort all rows of the pools; a union of the first rows of each is
merged without sorting, so that a page costs what stands before it and not what the pools hold (issue 3: a million).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from django.db.models import QuerySet


@dataclass(frozen=True)
class Merged:
    """What a list needs of a query set, over `parts` of one model that hold no row twice."""

    parts: Sequence[QuerySet[Any]]
    order: tuple[str, ...] = ("due_on", "pk")

    def filter(self, *conditions: Any, **lookups: Any) -> Merged:
        """The rows of every part that fit."""
        return replace(self, parts=[part.filter(*conditions, **lookups) for part in self.parts])

    def exclude(self, *conditions: Any, **lookups: Any) -> Merged:
        """The rows of every part that do not fit."""
        return replace(self, parts=[part.exclude(*conditions, **lookups) for part in self.parts])

    def order_by(self, *fields: str) -> Merged:
        """The same rows in another order; no field: the order does not matter."""
        return replace(self, order=fields)

    def __getitem__(self, wanted: slice) -> Page:
        return Page(self, wanted.start or 0, wanted.stop)

    def iterator(self, batch: int) -> Iterator[Any]:
        """Every row, so many at a time."""
        for start in count(0, batch):
            rows = list(self[start : start + batch])
            yield from rows
            if len(rows) < batch:
                return

    def first(self) -> Any:
        """The first row, or None."""
        return next(iter(self[0:1]), None)


@dataclass(frozen=True)
class Page:
    """Rows `start` to `stop` of merged ones."""

    rows: Merged
    start: int
    stop: int

    def _keys(self) -> QuerySet[Any]:
        order = self.rows.order
        names = dict.fromkeys(["pk", *(field.removeprefix("-") for field in order)])
        parts = [part.order_by(*order).values_list(*names)[: self.stop] for part in self.rows.parts]
        if len(parts) == 1:
            return parts[0][self.start :]
        return parts[0].union(*parts[1:], all=True).order_by(*order)[self.start : self.stop]

    def count(self) -> int:
        """How many rows the page has; no more are looked at than to its end."""
        return self._keys().count() if self.rows.parts else 0

    def __iter__(self) -> Iterator[Any]:
        if not self.rows.parts:
            return iter(())
        keys = [row[0] for row in self._keys()]
        model = self.rows.parts[0].model
        found = model._default_manager.select_related("assignee", "organisation").in_bulk(keys)
        return iter([found[key] for key in keys if key in found])
