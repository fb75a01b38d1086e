"""The bell and the list of notices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.words import language
from sheka.office.staff.permissions import Permission
from sheka.office.work.actions.read_notices import mark_read
from sheka.office.work.models import WorkNotice
from sheka.office.work.notices import notice_kinds
from sheka.office.work.queries import notices_of

ROWS = 25


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice on the page."""

    pk: int
    at: datetime
    word: str
    tone: str
    text: str
    read: bool
    address: str


@opens(Permission.WORK_USE)
@require_safe
def bell(request: HttpRequest) -> HttpResponse:
    """The bell alone, asked for every thirty seconds. It is not the reader who asks: no session is kept alive by it."""
    return render(request, "console/work/bell.html")


bell.polled = True  # type: ignore[attr-defined]


@opens(Permission.WORK_USE)
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """The reader's notices, the latest first; `before` turns to the older ones."""
    text = request.GET.get("before", "")
    before = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
    only_unread = "unread" in request.GET
    found = notices_of(request.actor, only_unread=only_unread, before=before, most=ROWS + 1)
    context = {
        "notices": [_shown(notice) for notice in found[:ROWS]],
        "older": found[ROWS - 1].pk if len(found) > ROWS else None,
        "only_unread": only_unread,
    }
    return render(request, "console/work/notices.html", context)


@opens(Permission.WORK_USE)
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """One notice is read, and leads to what it is about; or all are."""
    text = request.POST.get("notice", "")
    if not text:
        mark_read(request.actor)
        return redirect("console:work_notices")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    mark_read(request.actor, notice_ids=[number])
    found = notices_of(request.actor, before=number + 1, most=1)
    return redirect(_address(found[0]) or "console:work_notices")


def _shown(notice: WorkNotice) -> Shown:
    kind = notice_kinds().get(notice.kind)
    return Shown(
        pk=notice.pk,
        at=notice.at,
        word=kind.title.text(language()) if kind else notice.kind,
        tone=kind.severity if kind else "info",
        text=notice.text(language()),
        read=notice.read_at is not None,
        address=_address(notice),
    )


def _address(notice: WorkNotice) -> str:
    kind = notice_kinds().get(notice.kind)
    if kind is None or kind.address is None:
        return ""
    page, *arguments = kind.address(notice.subject)
    return reverse(str(page), args=arguments)
