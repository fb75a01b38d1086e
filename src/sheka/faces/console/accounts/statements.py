"""Statements of an account: page, Excel, and the paper (S6)."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from sheka.faces.console.accounts.forms import PeriodForm
from sheka.faces.console.accounts.words import others, said
from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens
from sheka.faces.console.list_cells import guarded
from sheka.faces.console.list_files import download
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Code, Refused
from sheka.office.lists import note_export
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.labels import KINDS
from sheka.systems.accounts.queries_of_pages import Statement, account_reached, balance_on, lines_of, statement_read
from sheka.systems.accounts.subjects import statement_subject

ROWS, MOST_ROWS, BATCH = 50, 50_000, 1_000
_SAFE = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@opens(Permission.ACCOUNT_VIEW)
@require_safe
def statement(request: HttpRequest, number: str) -> HttpResponse:
    """The statement of a period: this year until today when none was chosen."""
    actor = request.actor
    account = account_reached(actor, number)
    today = timezone.localdate()
    given = request.GET if "since" in request.GET else None
    form = PeriodForm(given, initial={"since": today.replace(month=1, day=1), "until": today})
    since, until = today.replace(month=1, day=1), today
    if form.is_bound and form.is_valid():
        since, until = form.cleaned_data["since"], form.cleaned_data["until"]
    excel = request.GET.get("export") == "xlsx" and actor.may(Permission.LIST_EXPORT)
    context: dict[str, Any] = {"account": account, "form": form}
    try:
        found = statement_read(actor, number=number, since=since, until=until, form="xlsx" if excel else "page")
        if excel:
            return download(_file(actor, found), f"sheka-statement-{since:%Y%m%d}-{until:%Y%m%d}.xlsx")
    except Refused as refusal:
        context |= {"problem": told(refusal)}
        return render(request, "console/accounts/statement.html", context, status=refusal.http)
    page = Paginator(found.entries, ROWS).get_page(request.GET.get("page"))
    lines = lines_of(account, list(page.object_list))
    beside = others(lines)
    on = _day(request.GET.get("on", ""))
    context |= {
        "statement": found,
        "holder": account.person.name if account.person else account.party,
        "page": page,
        "entries": [
            {"line": line, "kind": said(KINDS[line.entry.kind]), "other": beside.get(line.entry.posting_id, "")}
            for line in lines
        ],
        "excel": f"?since={since.isoformat()}&until={until.isoformat()}&export=xlsx"
        if actor.may(Permission.LIST_EXPORT)
        else "",
        "on": on,
        "balance_on": balance_on(account, on) if on else None,
    }
    if actor.may(Permission.DOCUMENT_VIEW):
        context["documents"] = subject_context(actor, statement_subject(number, since, until))
        context["paper"] = reverse(
            "console:documents_issue", args=[statement_subject(number, since, until), "account_statement"]
        )
    return render(request, "console/accounts/statement.html", context, status=422 if form.errors else 200)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1990 <= found.year < 9999 else None


def _file(actor: Actor, found: Statement) -> bytes:
    """The sheet of a statement; nothing in it is a formula. Raises Refused(LIST_TOO_LONG)."""
    if found.count > MOST_ROWS:
        raise Refused(Code.LIST_TOO_LONG, most=f"{MOST_ROWS:,}")
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, _SAFE)
    sheet, bold = book.add_worksheet(_("Entries")), book.add_format({"bold": True})
    money, text = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "@"})
    moment = book.add_format({"num_format": 'yyyy-mm-dd hh:mm:ss "+08:00"'})
    sheet.set_column(0, 6, 22)
    head = (_("Booked at"), _("Posting"), pgettext("accounts", "Entry"), _("Other side"), _("Amount"), _("Balance"))
    for place, word in enumerate((*head, _("Reference"))):
        sheet.write_string(0, place, guarded(str(word)), bold)
    sheet.freeze_panes(1, 0)
    row = 0
    for start in range(0, found.count, BATCH):
        lines = lines_of(found.account, list(found.entries[start : start + BATCH]))
        beside = others(lines)
        for line in lines:
            row += 1
            entry = line.entry
            sheet.write_datetime(row, 0, timezone.localtime(entry.booked_at).replace(tzinfo=None), moment)
            sheet.write_string(row, 1, str(entry.posting_id), text)
            sheet.write_string(row, 2, guarded(said(KINDS[entry.kind])), text)
            sheet.write_string(row, 3, guarded(beside.get(entry.posting_id, "")), text)
            sheet.write_number(row, 4, Decimal(entry.amount) / 100, money)
            if entry.balance_after is not None:
                sheet.write_number(row, 5, Decimal(entry.balance_after) / 100, money)
            sheet.write_string(row, 6, guarded(line.reference), text)
    about = book.add_worksheet(_("About this file"))
    about.set_column(0, 1, 30)
    facts: list[tuple[str, object]] = [
        (_("Account number"), found.account.number),
        (_("Period"), f"{found.since} – {found.until}"),
        (_("Opening balance"), Decimal(found.opening) / 100),
        (_("Paid in"), Decimal(found.paid_in) / 100),
        (_("Paid out"), Decimal(found.paid_out) / 100),
        (_("Closing balance"), Decimal(found.closing) / 100),
        (_("Taken by"), f"{actor.name} · {actor.organisation}"),
        (_("Taken at"), f"{timezone.localtime():%Y-%m-%d %H:%M:%S +08:00}"),
    ]
    for place, (word, value) in enumerate(facts):
        about.write_string(place, 0, guarded(word))
        if isinstance(value, Decimal):
            about.write_number(place, 1, value, money)
        else:
            about.write_string(place, 1, guarded(str(value)), text)
    book.close()
    note_export(actor, "account-statement", {"account": found.account.number}, found.count)
    return out.getvalue()
