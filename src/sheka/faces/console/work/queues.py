"""The lists of the work queue, one a queue (console.md §4.2.1): what each row says, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text
from sheka.faces.console.templatetags.look import dated, day, masked, named, seal, tongue
from sheka.faces.console.words import in_chinese, language
from sheka.office.staff.actors import Actor
from sheka.office.work import queries
from sheka.office.work.kinds import kinds
from sheka.office.work.models import WorkItem

SOON = 1
"""Working days left from which a row says so with a seal."""


def gather(rows: list[WorkItem], actor: Actor) -> None:
    """The holders of a page's cases, and who reads it."""
    holders = queries.holders_of(rows)
    for row in rows:
        row.holder, row.reader = holders.get((row.kind, row.subject)), actor  # type: ignore[attr-defined]


def days_left(item: WorkItem) -> Stamp | str:
    """How many working days are left: a seal when it is one or none, or when the day is past."""
    if item.due_on is None or item.state == "done":
        return ""
    left = queries.working_days_left(item.due_on, timezone.localdate())
    if left < 0 or item.due_on < timezone.localdate():
        late = ngettext("%(n)s working day late", "%(n)s working days late", -left) % {"n": -left}
        return Stamp(late if left else gettext("late"), "stop")
    if left == 0:
        return Stamp(gettext("due today"), "stop")
    text = ngettext("%(n)s working day left", "%(n)s working days left", left) % {"n": left}
    return Stamp(text, "wait") if left <= SOON else text


def _due(item: WorkItem) -> object:
    left = days_left(item)
    told = seal(str(left.word), left.tone) if isinstance(left, Stamp) else left
    mark = " " if isinstance(left, Stamp) else " · "
    return format_html("{}{}{}", day(item.due_on), mark, told) if item.due_on else ""


def _holder(item: Any) -> object:
    if item.holder is None:
        return ""
    return format_html('{} <span class="number">{}</span>', tongue(item.holder.name), masked(item.holder.number))


def step(item: WorkItem) -> Stamp:
    """The tag of an item: what kind of work it is."""
    kind = kinds().get(item.kind)
    return Stamp(kind.title.text(language()), kind.tone) if kind else Stamp(item.kind)


def todo(item: WorkItem) -> str:
    """The words of the button that leads to where the work is done; nothing where it is done elsewhere."""
    kind = kinds().get(item.kind)
    return kind.todo.text(language()) if kind and kind.address else ""


def _act(item: Any) -> object:
    """The one thing to do with the row: take it when it is nobody's, else go where the reader's own work is done."""
    if item.assignee_id is None and item.state == "open" and item.permission in item.reader.permissions:
        if item.organisation_id != item.reader.organisation:
            return ""
        about = format_html('<span class="govuk-visually-hidden"> {}</span>', item.number)
        return format_html(
            '<button class="button button--row" form="take" name="item" value="{}">{}{}</button>',
            item.pk,
            gettext("Take"),
            about,
        )
    if item.assignee_id != item.reader.staff_id or item.state != "open" or not todo(item):
        return ""
    address = reverse("console:work_open", args=[item.pk])
    about = format_html('<span class="govuk-visually-hidden"> {}</span>', item.number)
    return format_html('<a class="button button--row" href="{}">{}{}</a>', address, tongue(todo(item)), about)


def _kinds(actor: Actor) -> list[tuple[str, str]]:
    return sorted(((kind.name, kind.title.text(language())) for kind in kinds().values()), key=lambda row: row[1])


def _places(actor: Actor) -> list[tuple[str, str]]:
    return [(code, name if in_chinese() else english) for code, name, english in queries.places(actor)]


def _numbered(rows: Any, value: str, actor: Actor) -> Any:
    return rows.filter(number=value)


NUMBER = Column(
    "number",
    _("Case"),
    lambda row: row.number,
    kind="number",
    link=lambda row: reverse("console:work_item", args=[row.pk]),
)
WHAT = Column("what", _("What is to be done"), lambda row: dated(row.title(language())))
HOLDER = Column(
    "holder",
    _("Card holder"),
    _holder,
    export=lambda row: f"{row.holder.name} {row.holder.number}" if row.holder else "",
)
STEP = Column("step", _("Step"), step)
PERSON = Column("person", _("With"), lambda row: row.assignee.name if row.assignee else "", kind="whole")
PLACE = Column("place", _("Organisation"), lambda row: named(row.organisation))
DUE = Column("due", _("Due on"), _due, sort="due_on", kind="whole", export=lambda row: row.due_on)
UNTIL = Column("until", _("Waits until"), lambda row: row.waiting_until, sort="waiting_until", kind="whole")
REASON = Column("reason", _("For what"), lambda row: row.waiting_reason)
DONE = Column("done", _("Done"), lambda row: row.closed_at, sort="closed_at", kind="whole")
ACT = Column("act", _("Next step"), _act, export=lambda row: "")
KIND = Select("kind", _("Step"), _kinds, "kind")
CASE = Text("case", _("Case"), narrow=_numbered)
DUE_ON = Days("due", _("Due on"), "due_on")

USUAL: dict[str, Any] = {
    "columns": [NUMBER, WHAT, HOLDER, STEP, DUE, ACT],
    "filters": [KIND, CASE, DUE_ON],
    "default_sort": "due",
    "gather": gather,
    "personal": True,
    "caption": _("Person numbers are masked; what was read is recorded."),
}


def _queue(name: str, rows: Callable[[Actor], Any], **more: Any) -> Listing:
    return Listing(name=f"work.{name}", rows=rows, **(USUAL | more))


QUEUES: dict[str, Listing] = {
    "mine": _queue(
        "mine",
        queries.mine,
        title=_("My cases"),
        empty_title=_("Nothing is with you"),
        empty_text=_("Take the next case, or choose one that nobody has taken yet."),
    ),
    "unassigned": _queue(
        "unassigned",
        queries.unassigned,
        title=_("Not taken yet"),
        empty_title=_("Everything is taken"),
        empty_text=_("A case appears here when a step of it is open for your role at your organisation."),
    ),
    "waiting": _queue(
        "waiting",
        queries.waiting,
        title=_("Waiting for others"),
        columns=[NUMBER, WHAT, HOLDER, STEP, UNTIL, REASON],
        filters=[KIND, CASE],
        default_sort="until",
        empty_title=_("You wait for nobody"),
        empty_text=_("A case that you put off until somebody answers stays here, and comes back to you on its day."),
    ),
    "overdue": _queue(
        "overdue",
        queries.overdue,
        title=_("Overdue"),
        columns=[NUMBER, WHAT, HOLDER, STEP, PERSON, DUE, ACT],
        empty_title=_("Nothing is overdue"),
        empty_text=_("A case appears here when its day has passed, whoever it is with."),
    ),
    "returned": _queue(
        "returned",
        queries.returned,
        title=_("Returned to me"),
        empty_title=_("Nothing was returned to you"),
        empty_text=_("What an examiner or approver sends back for completion appears here."),
    ),
    "recent": _queue(
        "recent",
        queries.recent,
        title=_("Done by me"),
        columns=[NUMBER, WHAT, HOLDER, STEP, DONE],
        filters=[KIND, Days("done", _("Done"), "closed_at", moments=True)],
        default_sort="-done",
        empty_title=_("You have finished nothing yet"),
        empty_text=_("Cases that you finished appear here, the latest first."),
    ),
    "office": _queue(
        "office",
        queries.office,
        title=_("Whole office"),
        columns=[NUMBER, WHAT, STEP, PLACE, PERSON, DUE],
        filters=[
            KIND,
            CASE,
            DUE_ON,
            Select("place", _("Organisation"), _places, "organisation_id"),
            Select(
                "with",
                _("With"),
                (("nobody", _("Nobody")), ("somebody", _("Somebody"))),
                narrow=lambda rows, value, actor: rows.filter(assignee__isnull=value == "nobody"),
            ),
        ],
        tick=lambda row: str(row.pk),
        gather=lambda rows, actor: None,
        personal=False,
        caption="",
        empty_title=_("Nothing is open"),
        empty_text=_("Open cases of your organisation and of those below it appear here."),
    ),
}
