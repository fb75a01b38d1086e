"""A list as a file for Excel: formula-safe, times of Shanghai with their zone, masked data stays masked, audited."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

import xlsxwriter
from django.http import HttpRequest, HttpResponse
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
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SAFE = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def file_of(request: HttpRequest, listing: Listing) -> HttpResponse:
    """The list as the address asks for it. Raises Refused(LIST_TOO_LONG)."""
    content = make_file(request.actor, listing, request.GET.dict(), AT_ONCE)
    name = f"sheka-{listing.name}-{timezone.localtime():%Y%m%d-%H%M}.xlsx"
    return HttpResponse(content, content_type=TYPE, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def make_file(actor: Actor, listing: Listing, values: dict[str, str], most: int) -> bytes:
    """The rows that `values` (an address's parameters) ask for, and a sheet that says what they are; audited.

    Raises Refused: PERMISSION_MISSING, LIST_TOO_LONG.
    """
    rows, chosen, _sort = listing.choose(values, actor)
    if rows.order_by()[: most + 1].count() > most:
        raise Refused(Code.LIST_TOO_LONG, most=f"{most:,}")
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, _SAFE)
    number = _fill(book, listing, _in_batches(listing, rows, actor))
    told = {one.title: one.told for one in chosen}
    _tell(book, listing, told, actor, number)
    book.close()
    note_export(actor, listing.name, told, number)
    return out.getvalue()


def _in_batches(listing: Listing, rows: Any, actor: Actor) -> Iterable[Any]:
    """The rows, completed as on a page, never all of them in memory."""
    source = rows.iterator(BATCH)
    while batch := list(islice(source, BATCH)):
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
