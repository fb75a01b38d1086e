"""The working days of a year, and the holiday notices: enter, compare, put into force (R2)."""

from __future__ import annotations

from calendar import Calendar
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sheka.faces.console.doors import open_to_staff, opens
from sheka.faces.console.lists import Stamp
from sheka.faces.console.operations.forms import NoticeForm
from sheka.faces.console.telling import told
from sheka.faces.console.words import in_chinese, language
from sheka.foundation.calendar import WorkingCalendar
from sheka.foundation.refusals import Refused
from sheka.office.jobs.queries import run_of
from sheka.office.operations.actions.decide_notice import decide_notice
from sheka.office.operations.actions.propose_notice import propose_notice
from sheka.office.operations.calendars import notice_of, working_calendar
from sheka.office.operations.queries import notices_of, verbs_for
from sheka.office.staff.permissions import Permission

FIRST, LAST = 2025, 2199
VERBS = ("publish", "reject", "withdraw")
STATES = {
    "proposed": Stamp(gettext_lazy("To be compared"), "wait"),
    "in_force": Stamp(gettext_lazy("In force"), "good"),
    "rejected": Stamp(gettext_lazy("Rejected"), "stop"),
    "withdrawn": Stamp(gettext_lazy("Withdrawn"), "still"),
}


@open_to_staff
@require_safe
def this_year(request: HttpRequest) -> HttpResponse:
    """The calendar opens on the present year."""
    return redirect("console:operations_calendar", timezone.localdate().year)


@open_to_staff
@require_safe
def year(request: HttpRequest, year: int) -> HttpResponse:
    """The twelve months of a year, what is provisional in them, and its notices."""
    shown = min(max(year, FIRST), LAST)
    if shown != year:
        return redirect("console:operations_calendar", shown)
    calendar = working_calendar()
    may = request.actor.may(Permission.CALENDAR_MANAGE)
    notices = [_notice(request, row) for row in notices_of(shown)] if may else []
    shipped = [
        notice
        for notice in calendar.notices
        if notice.year == shown and notice.document not in {row["row"].document for row in notices}
    ]
    context = {
        "year": shown,
        "months": [_month(calendar, shown, number) for number in range(1, 13)],
        "published": shown in calendar.published_years,
        "weekdays": _weekdays(),
        "notices": notices,
        "shipped": shipped,
        "before": shown - 1 if shown > FIRST else None,
        "after": shown + 1 if shown < LAST else None,
        "may_manage": may,
        "today": timezone.localdate(),
    }
    return render(request, "console/operations/calendar.html", context)


@opens(Permission.CALENDAR_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest) -> HttpResponse:
    """Enter a notice; a second person compares it with the document."""
    form = NoticeForm(request.POST or None, initial={"year": timezone.localdate().year + 1})
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            row = propose_notice(request.actor, form.content())
        except Refused as error:
            refusal = told(error)
        else:
            messages.success(request, _("The notice waits for a second person."), extra_tags="good")
            return redirect("console:operations_calendar", row.year)
    status = 422 if refusal or form.errors else 200
    return render(request, "console/operations/notice.html", {"form": form, "problem": refusal}, status=status)


@opens(Permission.CALENDAR_MANAGE)
@require_POST
def decide(request: HttpRequest, notice: int) -> HttpResponse:
    """Put it into force, reject it, or withdraw it."""
    verb = request.POST.get("verb", "")
    row = decide_notice(
        request.actor,
        notice_id=notice,
        digest=request.POST.get("digest", ""),
        verb=verb if verb in VERBS else "",
        reason=request.POST.get("reason", ""),
    )
    words = {
        "in_force": _("The notice is in force. Promised days are counted anew."),
        "rejected": _("The notice was rejected."),
        "withdrawn": _("The notice was withdrawn."),
    }
    messages.success(request, words[row.state], extra_tags="good")
    return redirect("console:operations_calendar", row.year)


@opens(Permission.CALENDAR_MANAGE)
@require_safe
def recount(request: HttpRequest, number: int) -> HttpResponse:
    """Whose promised day moved when a notice came into force."""
    run = run_of(request.actor, number)
    if run.name != "cards.recount_promised_days" or not run.result:
        return redirect("console:jobs_job", number)
    rows = [
        {**row, "was": date.fromisoformat(row["was"]), "now": date.fromisoformat(row["now"])}
        for row in run.result["exchanges"]
    ]
    return render(request, "console/operations/recount.html", {"run": run, "result": run.result, "rows": rows})


def _month(calendar: WorkingCalendar, year: int, month: int) -> dict[str, Any]:
    weeks = [
        [_cell(calendar, day) if day.month == month else None for day in week]
        for week in Calendar(firstweekday=0).monthdatescalendar(year, month)
    ]
    first = date(year, month, 1)
    working = sum(1 for week in weeks for cell in week if cell and cell["working"])
    return {"name": f"{month}月" if in_chinese() else f"{first:%B}", "weeks": weeks, "working": working}


def _cell(calendar: WorkingCalendar, day: date) -> dict[str, Any]:
    """One day: its number, its class for the eye, its words for the ear."""
    kind = calendar.is_working_day(day)
    usual = kind.working == (day.weekday() < 5)
    look = "worked" if kind.working and not usual else "off" if not kind.working and not usual else ""
    if not kind.working and usual:
        look = "off" if day in calendar.holidays else "weekend"
    return {
        "day": day,
        "number": day.day,
        "working": kind.working,
        "provisional": kind.provisional,
        "look": look,
        "reason": "" if kind.working and usual else kind.reason.text(language()),
    }


def _weekdays() -> list[tuple[str, str]]:
    """Short and long names, Monday first."""
    if in_chinese():
        return [(name, f"星期{name}") for name in "一二三四五六日"]
    return [(f"{date(2026, 6, day):%a}"[:2], f"{date(2026, 6, day):%A}") for day in range(1, 8)]


def _notice(request: HttpRequest, row: Any) -> dict[str, Any]:
    """An imported notice with what this reader may do about it, or why not."""
    notice = notice_of(row.content)
    verbs, why = verbs_for(request.actor, row)
    holidays: dict[str, list[date]] = {}
    for day, name in notice.days_off.items():
        holidays.setdefault(name.text(language()), []).append(day)
    return {
        "row": row,
        "stamp": STATES[row.state],
        "holidays": [(name, min(days), max(days)) for name, days in holidays.items()],
        "worked": sorted(notice.working_weekends),
        "verbs": verbs,
        "why": told(why) if why else None,
    }
