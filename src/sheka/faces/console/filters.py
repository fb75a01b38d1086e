"""Filters of a list: what the address says, how it narrows the rows, how a chip tells it.

A value that a filter does not know is ignored: it narrows nothing and no chip shows it. A person's number is never
taken: it may not stand in an address (design §2.10); the search box is the place for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from sheka.faces.console.templatetags.look import day
from sheka.office.staff.actors import Actor

Rows = QuerySet[Any, Any]
Values = Mapping[str, str]
Choices = Iterable[tuple[str, str | Promise]]
LONGEST = 80
_PERSON = re.compile(r"(?<![0-9A-Za-z])(\d{17}[\dXx]|\d{15})(?![0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class Set:
    """A filter that is set: the words of its chip, and the parameters of the address that make it."""

    title: str
    told: str
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A control of the filter form: `kind` is select, text or date."""

    kind: str
    name: str
    label: str
    value: str
    options: tuple[tuple[str, str], ...] = ()


def clean(values: Values, name: str) -> str:
    """A parameter as text: bounded, without NUL; "" for a person's number."""
    text = values.get(name, "").replace("\0", "").strip()[:LONGEST]
    return "" if _PERSON.search(text) else text


@dataclass(frozen=True, slots=True)
class Select:
    """One of several. `field`: the column of the rows, or `narrow(rows, value, actor)` for what is not a column."""

    name: str
    title: str | Promise
    choices: Choices | Callable[[Actor], Choices]
    field: str = ""
    narrow: Callable[[Rows, str, Actor], Rows] | None = None
    all: str | Promise = ""
    """What the empty choice is called; "All" without."""

    def parameters(self) -> tuple[str, ...]:
        return (self.name,)

    def apply(self, rows: Rows, values: Values, actor: Actor) -> tuple[Rows, Set | None]:
        """The rows with this value, and the chip."""
        value, known = clean(values, self.name), dict(self._options(actor))
        if not value or value not in known:
            return rows, None
        rows = self.narrow(rows, value, actor) if self.narrow else rows.filter(**{self.field: value})
        return rows, Set(str(self.title), known[value], self.parameters())

    def fields(self, values: Values, actor: Actor) -> list[Field]:
        options = (("", str(self.all) or _("All")), *self._options(actor))
        return [Field("select", self.name, str(self.title), clean(values, self.name), options)]

    def _options(self, actor: Actor) -> tuple[tuple[str, str], ...]:
        choices = self.choices(actor) if callable(self.choices) else self.choices
        return tuple((str(value), str(word)) for value, word in choices)


@dataclass(frozen=True, slots=True)
class Text:
    """Words that one of `columns` has. `lookup`: exact, startswith (both use an index) or icontains."""

    name: str
    title: str | Promise
    columns: tuple[str, ...] = ()
    lookup: str = "icontains"
    narrow: Callable[[Rows, str, Actor], Rows] | None = None

    def parameters(self) -> tuple[str, ...]:
        return (self.name,)

    def apply(self, rows: Rows, values: Values, actor: Actor) -> tuple[Rows, Set | None]:
        """The rows in which the words are found."""
        value = clean(values, self.name)
        if not value:
            return rows, None
        if self.narrow:
            rows = self.narrow(rows, value, actor)
        else:
            rows = rows.filter(Q(*((f"{column}__{self.lookup}", value) for column in self.columns), _connector=Q.OR))
        return rows, Set(str(self.title), value, self.parameters())

    def fields(self, values: Values, actor: Actor) -> list[Field]:
        return [Field("text", self.name, str(self.title), clean(values, self.name))]


@dataclass(frozen=True, slots=True)
class Days:
    """From a day to a day, both included, in Shanghai. `moments`: the column holds moments, not days."""

    name: str
    title: str | Promise
    field: str
    moments: bool = False

    def parameters(self) -> tuple[str, ...]:
        return (f"{self.name}_from", f"{self.name}_to")

    def apply(self, rows: Rows, values: Values, actor: Actor) -> tuple[Rows, Set | None]:
        """The rows of these days."""
        first, last = self._day(values, "from"), self._day(values, "to")
        if first is None and last is None:
            return rows, None
        if first is not None:
            rows = rows.filter(**{f"{self.field}__gte": self._edge(first)})
        if last is not None:
            rows = rows.filter(**{f"{self.field}__lt": self._edge(last + timedelta(days=1))})
        if first is None:
            told = _("until %(day)s") % {"day": day(last)}
        elif last is None:
            told = _("from %(day)s") % {"day": day(first)}
        else:
            told = _("%(first)s to %(last)s") % {"first": day(first), "last": day(last)}
        return rows, Set(str(self.title), told, self.parameters())

    def fields(self, values: Values, actor: Actor) -> list[Field]:
        found = ((edge, self._day(values, edge)) for edge in ("from", "to"))
        labels = {
            "from": _("%(title)s from") % {"title": self.title},
            "to": _("%(title)s until") % {"title": self.title},
        }
        return [
            Field("date", f"{self.name}_{edge}", labels[edge], value.isoformat() if value else "")
            for edge, value in found
        ]

    def _day(self, values: Values, edge: str) -> date | None:
        try:
            found = date.fromisoformat(clean(values, f"{self.name}_{edge}"))
        except ValueError:
            return None
        return found if 1900 <= found.year < 9999 else None

    def _edge(self, found: date) -> date | datetime:
        return timezone.make_aware(datetime.combine(found, time())) if self.moments else found


Filter = Select | Text | Days
__all__ = ["Days", "Field", "Filter", "Model", "Rows", "Select", "Set", "Text", "clean"]
