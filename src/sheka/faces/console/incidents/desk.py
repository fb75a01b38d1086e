"""The desk: every incident with its clock, severity and state; and the figures of a year (K9, console.md §4.2.9)."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.incidents.words import clock_stamp, kind_word, said, severity_stamp, state_stamp
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text, show_list
from sheka.faces.console.places import labels
from sheka.office.incidents.plans import SEVERITIES, kinds
from sheka.office.incidents.queries import figures, readable_by, running_at
from sheka.office.incidents.states import ENDED, RUNNING, STATE_WORDS
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


def _rows(actor: Actor) -> Any:
    unread = Count("receipts", filter=Q(receipts__read_at__isnull=True))
    return readable_by(actor).annotate(told=Count("receipts"), unread=unread)


def _names(rows: list[Any], actor: Actor) -> None:
    known = labels({row.origin for row in rows})
    for row in rows:
        row.origin_name = known.get(row.origin, row.origin)


def _unread(row: Any) -> object:
    if not row.unread:
        return Stamp(_("Read by all above"), "good") if row.told else ""
    return Stamp(_("Not yet read by %(n)s") % {"n": row.unread}, "wait")


def _narrow(rows: Any, value: str, actor: Actor) -> Any:
    now = timezone.now()
    return {
        "running": rows.filter(state__in=RUNNING),
        "overdue": rows.filter(state__in=RUNNING, due_at__lte=now),
        "ended": rows.filter(state__in=ENDED),
    }.get(value) or rows.filter(state=value)


def _states(actor: Actor) -> list[tuple[str, Any]]:
    own = [("running", _("All that run")), ("overdue", _("Past their time")), ("ended", _("All that ended"))]
    return [*own, *((name, said(word)) for name, word in STATE_WORDS.items())]


DESK = Listing(
    name="incidents",
    title=_("Incidents"),
    lede=_("What runs, what its clock says, and who above has read it. Times count day and night."),
    rows=_rows,
    columns=[
        Column(
            "number",
            _("Number"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=lambda row: reverse("console:incidents_one", args=[row.number]),
        ),
        Column("kind", pgettext_lazy("incident", "Kind"), lambda row: kind_word(row.kind), sort="kind", kind="whole"),
        Column("severity", _("Severity"), lambda row: severity_stamp(row.severity, short=True), sort="severity"),
        Column("state", _("State"), state_stamp, sort="state"),
        Column("due", _("Clock"), lambda row: clock_stamp(row) or "", sort="due_at"),
        Column("from", _("Where it arose"), lambda row: row.origin_name, sort="origin"),
        Column("handler", _("Handled by"), lambda row: row.handled_by, sort="handled_by"),
        Column("read", _("Read above"), _unread),
        Column("reported", _("Reported at"), lambda row: row.reported_at, sort="reported_at", kind="whole"),
    ],
    filters=[
        Select("state", _("State"), _states, narrow=_narrow),
        Select(
            "severity", _("Severity"), lambda actor: [(str(n), said(t)) for n, t in SEVERITIES.items()], "severity"
        ),
        Select(
            "kind", pgettext_lazy("incident", "Kind"), lambda actor: [(n, said(k.title)) for n, k in kinds().items()],
            "kind",
        ),
        Text("number", _("Number"), ("number",), "startswith"),
        Days("reported", _("Reported at"), "reported_at", moments=True),
    ],
    default_sort="due",
    gather=_names,
    empty_title=_("No incident"),
    empty_text=_("What is reported here or below appears at once, with its clocks."),
    size=25,
)  # fmt: skip


@opens(Permission.INCIDENT_VIEW)
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """Every incident that the reader's organisation holds, the next clock first."""
    running = running_at(request.actor)
    overdue = running.filter(due_at__lte=timezone.now()).count()
    return show_list(request, DESK, "console/incidents/desk.html", running=running.count(), overdue=overdue)


@opens(Permission.INCIDENT_VIEW)
@require_safe
def figures_page(request: HttpRequest) -> HttpResponse:
    """How many in a year, of which kind, and whether the times were kept."""
    found = figures(request.actor)
    most = max(found.by_kind.values(), default=1)
    context = {
        "figures": found,
        "kinds": [(kind_word(name), name, number) for name, number in found.by_kind.items()],
        "severities": [(severity_stamp(grade), grade, number) for grade, number in found.by_severity.items()],
        "most": most,
        "most_severe": max(found.by_severity.values(), default=1),
    }
    return render(request, "console/incidents/figures.html", context)
