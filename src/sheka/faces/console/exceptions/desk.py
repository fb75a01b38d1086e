"""The desk: every case with its deadline, its age and what is at stake (S10)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.exceptions.words import age_of, due_stamp, reason_word, said, state_stamp
from sheka.faces.console.filters import Days
from sheka.faces.console.lists import Column, Listing, Select, Text, show_list
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.labels import REASONS
from sheka.systems.exceptions.queries import cases_of, running_at
from sheka.systems.exceptions.states import ENDED, RUNNING, STATE_WORDS

_AMOUNTS = (("100", 10_000), ("1000", 100_000), ("10000", 1_000_000))


def _narrow(rows: Any, value: str, actor: Actor) -> Any:
    groups = {
        "running": rows.filter(state__in=RUNNING),
        "mine": rows.filter(state__in=RUNNING, holder_id=actor.staff_id),
        "overdue": rows.filter(state__in=RUNNING, due_on__lt=timezone.localdate()),
        "ended": rows.filter(state__in=ENDED),
    }
    return groups[value] if value in groups else rows.filter(state=value)


def _states(actor: Actor) -> list[tuple[str, Any]]:
    own = [
        ("running", _("All that run")),
        ("mine", _("In my hands")),
        ("overdue", _("Past their deadline")),
        ("ended", _("All that ended")),
    ]
    return [*own, *((name, said(word)) for name, word in STATE_WORDS.items())]


def _above(rows: Any, value: str, actor: Actor) -> Any:
    return rows.filter(amount__gte=dict(_AMOUNTS)[value])


DESK = Listing(
    name="exceptions",
    title=_("Exceptions desk"),
    lede=_("Every abnormal transaction: what our side has, what theirs, until when it is to be cleared up."),
    rows=cases_of,
    columns=[
        Column(
            "number",
            _("Number"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=lambda row: reverse("console:exceptions_one", args=[row.number]),
        ),
        Column("reason", pgettext_lazy("exception", "What is wrong"), reason_word, sort="reason"),
        Column("amount", _("At stake"), lambda row: row.amount, sort="amount", kind="money"),
        Column("state", _("State"), state_stamp, sort="state"),
        Column("due", _("Deadline"), lambda row: due_stamp(row) or "", sort=("due_on", "opened_at")),
        Column("age", _("Age"), age_of, sort="-opened_at", kind="whole"),
        Column("institution", _("Institution"), lambda row: row.institution, sort="institution", kind="number"),
        Column("terminal", _("Terminal"), lambda row: row.terminal, sort="terminal", kind="number"),
        Column("holder", pgettext_lazy("exception", "Holder"), lambda row: row.holder, sort="holder"),
    ],
    filters=[
        Select("state", _("State"), _states, narrow=_narrow),
        Select(
            "reason",
            pgettext_lazy("exception", "What is wrong"),
            lambda actor: [(str(name), said(word)) for name, word in REASONS.items()],
            "reason",
        ),
        Select("above", _("At stake, at least"), [(name, f"¥{int(name):,}") for name, _fen in _AMOUNTS], narrow=_above),
        Text("number", _("Number"), ("number",), "startswith"),
        Text("institution", _("Institution"), ("institution",), "startswith"),
        Days("opened", _("Opened"), "opened_at", moments=True),
    ],
    default_sort="due",
    empty_title=_("No exceptions"),
    empty_text=_("What the switch, clearing or a dispute brings up appears here by itself."),
    size=25,
)


@opens(Permission.EXCEPTION_VIEW)
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """The cases of the reader's organisation and those below it, the most urgent first."""
    running = running_at(request.actor)
    context = {
        "running": running.count(),
        "overdue": running.filter(due_on__lt=timezone.localdate()).count(),
        "unknown": running.filter(state="unknown").count(),
        "mine": running.filter(holder_id=request.actor.staff_id).count() if request.actor.is_person else 0,
        "may_dispute": request.actor.may(Permission.EXCEPTION_DISPUTE),
    }
    return show_list(request, DESK, "console/exceptions/desk.html", **context)
