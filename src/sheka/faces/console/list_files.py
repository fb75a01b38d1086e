"""A list as a file for Excel: formula-safe, times of Shanghai with their zone, masked data stays masked, audited."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

import xlsxwriter
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from sheka.faces.console.list_cells import filed, guarded
from sheka.foundation.refusals import Code, Refused
from sheka.office.lists import note_export
from sheka.office.staff.actors import Actor

if TYPE_CHECKING:
    from sheka.faces.console.lists import Listing

AT_ONCE = 5_000
"""Rows of a file that is made while the reader waits."""
BATCH = 1_000
ORDER = "sheka.list.export"
LISTINGS: dict[str, Listing] = {}
"""Every list that a module declares, by its name: what a job can make a file of."""
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SAFE = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def file_of(request: HttpRequest, listing: Listing) -> HttpResponse:
    """The list as the address asks for it; for a long one the page that offers to make the file in the background.

    Raises Refused(LIST_TOO_LONG) for a long one that only this request knows, such as what a search found.
    """
    values = request.GET.dict()
    try:
        return download(make_file(request.actor, listing, values, AT_ONCE), file_name(listing))
    except Refused as refusal:
        if refusal.code is not Code.LIST_TOO_LONG or LISTINGS.get(listing.name) is not listing:
            raise
    order = {"listing": listing.name, "values": values, "staff": request.actor.staff_id}
    context = {"listing": listing, "order": signing.dumps(order, salt=ORDER), "most": AT_ONCE}
    return render(request, "console/list_export.html", context)


def file_name(listing: Listing) -> str:
    """sheka-cards-20261122-0912.xlsx"""
    return f"sheka-{listing.name}-{timezone.localtime():%Y%m%d-%H%M}.xlsx"


def download(content: bytes, name: str) -> HttpResponse:
    """A file of a list as an answer."""
    return HttpResponse(content, content_type=TYPE, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def make_file(
    actor: Actor, listing: Listing, values: dict[str, str], most: int, tell: Callable[[int], None] | None = None
) -> bytes:
    """The rows that `values` (an address's parameters) ask for, and a sheet that says what they are; audited.

    Raises Refused: PERMISSION_MISSING, LIST_TOO_LONG.
    """
    rows, chosen, _sort = listing.choose(values, actor)
    if rows.order_by()[: most + 1].count() > most:
        raise Refused(Code.LIST_TOO_LONG, most=f"{most:,}")
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, _SAFE)
    number = _fill(book, listing, _in_batches(listing, rows, actor, tell))
    told = {one.title: one.told for one in chosen}
    _tell(book, listing, told, actor, number)
    book.close()
    note_export(actor, listing.name, told, number)
    return out.getvalue()


def _in_batches(listing: Listing, rows: Any, actor: Actor, tell: Callable[[int], None] | None) -> Iterable[Any]:
    """The rows, completed as on a page, never all of them in memory. `tell` hears how many there were."""
    source, done = rows.iterator(BATCH), 0
    while batch := list(islice(source, BATCH)):
        done += len(batch)
        if tell:
            tell(done)
        if listing.gather:
            listing.gather(batch, actor)
        yield from batch


def _fill(book: Any, listing: Listing, rows: Iterable[Any]) -> int:
    """The sheet with the rows; how many there were."""
    sheet = book.add_worksheet(_("Rows"))
    bold, looks = book.add_format({"bold": True, "text_wrap": True}), _looks(book)
    for place, column in enumerate(listing.columns):
        sheet.set_column(place, place, 14 if column.kind in ("amount", "money") else 24)
        sheet.write_string(0, place, guarded(str(column.title)), bold)
    sheet.freeze_panes(1, 1)
    number = 0
    for number, row in enumerate(rows, start=1):
        for place, column in enumerate(listing.columns):
            _put(sheet, number, place, filed((column.export or column.cell)(row), column.kind), looks)
    return number


def _looks(book: Any) -> dict[type, Any]:
    forms = {datetime: 'yyyy-mm-dd hh:mm:ss "+08:00"', date: "yyyy-mm-dd", Decimal: "#,##0.00", str: "@"}
    return {kind: book.add_format({"num_format": form}) for kind, form in forms.items()}


def _put(sheet: Any, row: int, place: int, value: object, looks: dict[type, Any]) -> None:
    if isinstance(value, date):
        sheet.write_datetime(row, place, value, looks[type(value)])
    elif isinstance(value, int | Decimal):
        sheet.write_number(row, place, value, looks.get(type(value)))
    elif value is not None:
        sheet.write_string(row, place, value, looks[str])


def _tell(book: Any, listing: Listing, told: dict[str, str], actor: Actor, number: int) -> None:
    """The sheet that says where the rows come from."""
    sheet = book.add_worksheet(_("About this file"))
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 60)
    facts = [
        (_("List"), str(listing.title)),
        *told.items(),
        (_("Rows"), f"{number:,}"),
        (_("Taken by"), f"{actor.name} · {actor.organisation}"),
        (_("Taken at"), f"{timezone.localtime():%Y-%m-%d %H:%M:%S +08:00} (Asia/Shanghai)"),
    ]
    for row, fact in enumerate(facts):
        for place, text in enumerate(fact):
            sheet.write_string(row, place, guarded(text))
