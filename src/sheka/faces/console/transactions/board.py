"""The live board of the switch (S4): rate, response codes, latency, lines and processes, refreshed every two seconds.

Without script it is the page as of now. The reader can stop it from moving (WCAG 2.2.2); every picture has its table.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sheka.faces.console.doors import opens, polled
from sheka.faces.console.psams.words import said
from sheka.faces.console.transactions.pictures import latency_chart, lines_chart, rate_chart
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.labels import VERBS
from sheka.systems.transactions.queries_of_pulse import SPANS, Board, Point, ProcessNow, board_of
from sheka.systems.transactions.readings import refusal_said

CODES = 12
"""Response codes that are listed; the others are summed."""


@opens(Permission.SWITCH_VIEW)
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """The page around the board: how far back, moving or not, pictures or tables."""
    return render(request, "console/transactions/board.html", _context(request))


@polled
@opens(Permission.SWITCH_VIEW)
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The part that moves."""
    return render(request, "console/transactions/board_live.html", {**_context(request), "moving": True})


def _context(request: HttpRequest) -> dict[str, Any]:
    span = request.GET.get("span", "10m")
    span = span if span in SPANS else "10m"
    chosen: dict[str, Any] = {"span": span}
    chosen |= {name: request.GET.get(name, "") == "1" for name in ("paused", "table")}
    found = board_of(request.actor, span)
    alarms = [(alarm.kind, said(alarm.text)) for alarm in found.alarms]
    seen = ",".join(sorted(kind for kind, _text in alarms))
    return {
        **chosen,
        "board": found,
        "time": timezone.localtime(found.at).strftime("%H:%M:%S"),
        "alarms": alarms,
        "news": seen != request.GET.get("seen", ""),
        "live_address": reverse("console:transactions_board_live") + _with(chosen, seen=seen, paused=False),
        "spans": [(name, word, _with(chosen, span=name), name == span) for name, word in _spans()],
        "pause": _with(chosen, paused=not chosen["paused"]),
        "turn": _with(chosen, table=not chosen["table"]),
        "charts": _charts(found),
        "codes": _codes(found),
        "verbs": [(said(VERBS[verb]) if verb in VERBS else str(verb), number) for verb, number in found.verbs],
        "processes": [_process(one) for one in found.processes],
        "rows": [_row(point) for point in reversed(found.points) if point.number or point.open_lines],
    }


def _spans() -> list[tuple[str, str]]:
    return [("10m", _("Last 10 minutes")), ("24h", _("Last 24 hours"))]


def _with(chosen: dict[str, Any], **changes: Any) -> str:
    values = {**chosen, **changes}
    kept = {name: "1" if value is True else value for name, value in values.items() if value and value != "10m"}
    return "?" + urlencode(kept)


def _charts(found: Board) -> dict[str, Any]:
    return {
        "rate": rate_chart(found.points),
        "latency": latency_chart(found.points),
        "lines": lines_chart(found.points, (_("lines"), _("waiting requests"))),
    }


def _codes(found: Board) -> list[dict[str, Any]]:
    shown = [
        {
            "code": one.code,
            "said": _("not answered") if one.refusal < 0 else said(refusal_said(one.refusal)),
            "refusal": one.refusal if one.refusal > 0 else "",
            "number": one.number,
            "share": f"{one.share:.1%}",
            "width": round(160 * one.share, 1),
            "tone": "good" if one.refusal == 0 else "wait" if one.refusal < 0 else "stop",
        }
        for one in found.codes[:CODES]
    ]
    rest = sum(one.number for one in found.codes[CODES:])
    if rest:
        shown.append({"code": "…", "said": _("others"), "refusal": "", "number": rest, "share": "", "width": 0})
    return shown


def _process(one: ProcessNow) -> dict[str, Any]:
    port, _dot, number = one.name.partition(".")
    minute = one.minute
    return {
        "name": one.name,
        "port": port,
        "number": number,
        "alive": one.alive,
        "seen_at": one.seen_at,
        "lines": minute.open_lines,
        "queue": minute.queue,
        "batches": minute.batches,
        "size": f"{minute.batch_size:.1f}",
        "machine": f"{minute.machine_ms:.1f}",
        "database": f"{minute.database_ms:.1f}",
        "cpu": f"{minute.cpu / 1e6 / 60:.0%}",
        "kept": minute.kept,
        "dropped": minute.dropped,
    }


def _row(point: Point) -> dict[str, Any]:
    return {
        "at": timezone.localtime(point.at),
        "rate": f"{point.rate:,.1f}",
        "approved": point.approved,
        "refused": point.refused,
        "p50": "—" if point.p50 is None else f"{point.p50:,.1f}",
        "p99": "—" if point.p99 is None else f"{point.p99:,.1f}",
        "lines": point.open_lines,
        "queue": point.queue,
        "dropped": point.dropped,
    }
