"""The search of transactions (S4)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.list_files import file_of
from sheka.faces.console.transactions.lists import SEARCH, read_stretch
from sheka.office.staff.permissions import Permission


@opens(Permission.TRANSACTION_VIEW)
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Transactions in reach, the latest first; with `?export=xlsx` as a file."""
    if request.GET.get("export") == "xlsx" and request.actor.may(Permission.LIST_EXPORT):
        return file_of(request, SEARCH)
    may = request.actor.may(Permission.SWITCH_VIEW)
    return render(request, "console/transactions/search.html", {"list": read_stretch(request), "may_watch": may})
