"""The search box of the frame. What was typed travels in the session, never in an address: it may be a person's."""

from __future__ import annotations

import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from sheka.faces.console.doors import open_to_staff
from sheka.faces.console.words import language
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.work.search import LONGEST, Found, Group, search

KEPT, MOST_KEPT = "searches", 5


@open_to_staff
@require_http_methods(["GET", "HEAD", "POST"])
def search_page(request: HttpRequest) -> HttpResponse:
    """A search is posted, kept in the session under a token, and shown at the token's address.

    A whole number that names one thing leads to it at once: so a scanner at the counter opens the case.
    Raises Refused(SEARCH_EXPIRED).
    """
    kept: dict[str, str] = request.session.get(KEPT, {})
    if request.method == "POST":
        token = secrets.token_urlsafe(12)
        text = request.POST.get("text", "").replace("\0", "").strip()[:LONGEST]
        request.session[KEPT] = dict([*kept.items(), (token, text)][-MOST_KEPT:])
        return redirect(f"{reverse('console:search')}?t={token}")
    token = request.GET.get("t", "")
    if not token:
        return render(request, "console/work/search.html", {"groups": [], "asked": False})
    if token not in kept:
        raise Refused(Code.SEARCH_EXPIRED)
    groups = search(request.actor, kept[token])
    only = _only(groups)
    if only:
        return redirect(only)
    shown = [(group.title.text(language()), [_row(one) for one in group.found], group.more) for group in groups]
    return render(request, "console/work/search.html", {"groups": shown, "asked": True})


def _only(groups: list[Group]) -> str:
    """The address of the one thing that was asked for by its whole number."""
    found = [one for group in groups for one in group.found if one.exact]
    return _address(found[0]) if len(found) == 1 else ""


def _row(one: Found) -> dict[str, Any]:
    return {
        "name": _text(one.name),
        "number": one.number,
        "note": _text(one.note),
        "state": _text(one.state),
        "tone": one.tone,
        "address": _address(one),
    }


def _address(one: Found) -> str:
    if one.address is None:
        return ""
    page, *arguments = one.address
    return reverse(str(page), args=arguments)


def _text(value: object) -> str:
    return value.text(language()) if isinstance(value, Term) else str(value)
