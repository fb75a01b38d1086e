"""Lists by declaring them: columns, filters, order, pages and a file for Excel (issue 3, console.md §4.2).

    QUEUE = Listing(
        name="queue", title=_("Work queue"), rows=lambda actor: open_items(actor), default_sort="due",
        columns=[Column("number", _("Number"), lambda row: row.number, sort="number", kind="number",
                        link=lambda row: reverse("console:work_item", args=[row.pk])),
                 Column("state", _("State"), lambda row: Stamp(row.word, "wait"), sort="state"),
                 Column("due", _("Due on"), lambda row: row.due_on, sort="due_on")],
        filters=[Select("state", _("State"), STATES.items(), "state"), Days("due", _("Due"), "due_on")],
        empty_title=_("Nothing waits"), empty_text=_("What is put before you appears here."))

    @opens(Permission.WORK_VIEW)
    @require_safe
    def queue(request): return show_list(request, QUEUE)

Everything that was chosen stands in the address (`?state=open&sort=-due&page=2&size=50`), so that it can be kept and
sent; what is not known there is ignored. Without script every part is a link or a form; with htmx only the list is
exchanged. A cell is what its value is: a day, a moment, a number, a Stamp, text (escaped, Chinese marked), or markup
that the look's filters made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise

from sheka.faces.console.filters import Days, Filter, Rows, Select, Set, Text, clean
from sheka.faces.console.list_cells import Stamp, shown
from sheka.faces.console.list_files import LISTINGS, file_of
from sheka.office.lists import note_read
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

__all__ = ["Column", "Days", "Listing", "Select", "Stamp", "Text", "read_list", "show_list"]
SIZES = (25, 50, 100)
COUNTED = 10_000
"""Rows that are counted and paged; a longer list says "more than 10,000" and asks for a filter."""
DEEP = 500
"""From this row on a page is read in two steps."""
KINDS = frozenset(("text", "number", "amount", "money", "whole"))
_OURS = frozenset(("page", "size", "sort", "export"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `cell(row)` is its value; `sort` the column or columns of the database that order by it.

    `kind`: text · number (an identifier, in its own face) · amount (right) · money (an integer of fen) · whole (never
    broken). `link(row)`: the page that the cell leads to, None for none. `export(row)`: what the file has instead of
    the cell. The first column is the header of its row.
    """

    name: str
    title: str | Promise
    cell: Callable[[Any], object]
    sort: str | tuple[str, ...] | None = None
    kind: str = "text"
    link: Callable[[Any], str | None] | None = None
    export: Callable[[Any], object] | None = None

    def order(self, falling: bool) -> list[str]:
        """The columns of the database, each with its direction."""
        fields = (self.sort,) if isinstance(self.sort, str) else self.sort or ()
        return [field.removeprefix("-") if falling == field.startswith("-") else f"-{field.removeprefix('-')}"
                for field in fields]  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """A list of one kind of row. `rows(actor)` gives only what the actor may read; it comes from an app's queries.

    `name`: in the audit and in the file's name. `gather(rows, actor)` completes the rows of a page, for what would
    else be a query a row. `tick(row)`: the value of a box before each row, sent with the form whose id is `ticked`.
    `personal`: the rows are about people, so every page read is audited.
    """

    name: str
    title: str | Promise
    columns: Sequence[Column]
    rows: Callable[[Actor], Rows]
    default_sort: str
    filters: Sequence[Filter] = ()
    export: bool = True
    caption: str | Promise = ""
    lede: str | Promise = ""
    empty_title: str | Promise = ""
    empty_text: str | Promise = ""
    gather: Callable[[list[Any], Actor], None] | None = None
    tick: Callable[[Any], str] | None = None
    personal: bool = False
    size: int = 50

    def __post_init__(self) -> None:
        parameters = [name for one in self.filters for name in one.parameters()]
        if len(set(parameters)) < len(parameters) or _OURS & set(parameters):
            raise ValueError(f"{self.name}: two filters, or a filter and the list itself, share a parameter")
        if self._sorted_by(self.default_sort) is None or self.size not in SIZES:
            raise ValueError(f"{self.name}: default_sort names a column with `sort`, size is one of {SIZES}")
        if wrong := {column.kind for column in self.columns} - KINDS:
            raise ValueError(f"{self.name}: unknown kinds {wrong}")
        LISTINGS.setdefault(self.name, self)

    def _sorted_by(self, text: str) -> Column | None:
        name = text.removeprefix("-")
        return next((column for column in self.columns if column.name == name and column.sort), None)

    def choose(self, values: Mapping[str, str], actor: Actor) -> tuple[Rows, list[Set], str]:
        """The rows that the address asks for in a stable order, what narrows them, and the order's name."""
        rows, chosen = self.rows(actor), []
        for one in self.filters:
            rows, found = one.apply(rows, values, actor)
            chosen += [found] if found else []
        sort = clean(values, "sort")
        column = self._sorted_by(sort)
        if column is None:
            sort = self.default_sort
            column = self._sorted_by(sort)
        assert column is not None
        return rows.order_by(*column.order(sort.startswith("-")), "pk"), chosen, sort


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: `order` is its aria-sort, `address` sorts by it."""

    name: str
    title: str
    kind: str
    order: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """`title`: the word of its column, which stands beside it on a narrow screen."""

    text: object
    kind: str
    address: str | None
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its header, its other cells, the value of its box."""

    head: Cell
    cells: list[Cell]
    tick: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set, and the address without it."""

    title: str
    told: str
    without: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What the template shows of a list."""

    listing: Listing
    heads: list[Head]
    lines: list[Line]
    ticks: bool
    fields: list[Any]
    chips: list[Chip]
    kept: list[tuple[str, str]]
    """Parameters of the page itself that the filter form carries on."""
    bare: str
    total: int
    more: bool
    page: int
    pages: int
    previous: str
    next: str
    sizes: list[tuple[int, str, bool]]
    export: str


def show_list(
    request: HttpRequest, listing: Listing, template: str = "console/list.html", **context: Any
) -> HttpResponse:
    """The page of a list, or with `?export=xlsx` its file. `context` is for a template of the topic's own, which
    extends console/list.html or includes console/parts/list.html.
    """
    if listing.export and request.GET.get("export") == "xlsx" and request.actor.may(Permission.LIST_EXPORT):
        return file_of(request, listing)
    return render(request, template, {"list": read_list(request, listing), **context})


def read_list(request: HttpRequest, listing: Listing) -> Shown:
    """The list as the address asks for it, for a page that shows more than the list."""
    actor, values = request.actor, {name: clean(request.GET, name) for name in request.GET}
    rows, chosen, sort = listing.choose(values, actor)
    size = next((size for size in SIZES if str(size) == values.get("size")), listing.size)
    counted = rows.order_by()[: COUNTED + 1].count()
    total = min(counted, COUNTED)
    pages = max(1, -(-total // size))
    page = min(_number(values.get("page", "")), pages)
    found = _page_of(rows, (page - 1) * size, size)
    if listing.gather:
        listing.gather(found, actor)
    if listing.personal:
        told = {one.title: one.told for one in chosen}
        note_read(actor, listing.name, told, page, len(found))
    ours = _OURS | {name for one in listing.filters for name in one.parameters()}
    export = _with(values, export="xlsx", page=None, size=None) if found and _may_export(listing, actor) else ""
    return Shown(
        listing=listing,
        heads=[_head(column, values, sort) for column in listing.columns],
        lines=[_line(listing, row) for row in found],
        ticks=listing.tick is not None,
        fields=[field for one in listing.filters for field in one.fields(values, actor)],
        chips=[Chip(one.title, one.told, _with(values, page=None, **dict.fromkeys(one.parameters))) for one in chosen],
        kept=[(name, text) for name, text in values.items() if name in ("size", "sort") or name not in ours],
        bare=_with(values, **dict.fromkeys(ours - {"size", "sort"})),
        total=total,
        more=counted > COUNTED,
        page=page,
        pages=pages,
        previous=_with(values, page=page - 1) if page > 1 else "",
        next=_with(values, page=page + 1) if page < pages else "",
        sizes=[(one, _with(values, size=one, page=None), one == size) for one in SIZES] if total > SIZES[0] else [],
        export=export,
    )


def _page_of(rows: Rows, first: int, size: int) -> list[Any]:
    """Rows `first` and following. Far down, only keys are sorted and passed over; what a row joins is read for those
    of the page alone; merged rows do so by themselves.
    """
    if first < DEEP or not isinstance(rows, QuerySet):
        return list(rows[first : first + size])
    keys = list(rows.values_list("pk", flat=True)[first : first + size])
    return list(rows.filter(pk__in=keys))


def _may_export(listing: Listing, actor: Actor) -> bool:
    return listing.export and actor.may(Permission.LIST_EXPORT)


def _number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _with(values: Mapping[str, str], **changes: object) -> str:
    """The address of this page with other parameters; None takes one away, and what is empty goes too."""
    changed = {**values, **changes}
    return "?" + urlencode({name: value for name, value in changed.items() if value not in (None, "")})


def _head(column: Column, values: Mapping[str, str], sort: str) -> Head:
    if not column.sort:
        return Head(column.name, str(column.title), column.kind)
    order = "" if sort.removeprefix("-") != column.name else "descending" if sort.startswith("-") else "ascending"
    turned = f"-{column.name}" if order == "ascending" else column.name
    return Head(column.name, str(column.title), column.kind, order or "none", _with(values, sort=turned, page=None))


def _line(listing: Listing, row: Any) -> Line:
    cells = [
        Cell(
            shown(column.cell(row), column.kind),
            column.kind,
            column.link(row) if column.link else None,
            str(column.title),
        )
        for column in listing.columns
    ]
    return Line(cells[0], cells[1:], listing.tick(row) if listing.tick else "")
