"""The work queue: its lists, one item with its verbs, the next case, many items to one person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.lists import show_list
from sheka.faces.console.telling import told
from sheka.faces.console.words import language
from sheka.faces.console.work.forms import AssignForm, PostponeForm
from sheka.faces.console.work.queues import QUEUES, days_left, step, todo
from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.permissions import Permission
from sheka.office.work import queries
from sheka.office.work.actions.assign_work import assign_work
from sheka.office.work.actions.give_back_work import give_back
from sheka.office.work.actions.postpone_work import postpone, resume
from sheka.office.work.actions.take_work import take_next, take_work
from sheka.office.work.kinds import kinds
from sheka.office.work.models import WorkItem


@opens(Permission.WORK_USE)
@require_safe
def queue(request: HttpRequest, name: str = "mine") -> HttpResponse:
    """One queue. Its filters stand in the address; a supervisor's list has boxes and a person to choose."""
    if name not in queries.queues_of(request.actor):
        raise Http404
    context: dict[str, Any] = {"queue": name, "kind": request.GET.get("kind", "")[:60]}
    if name == "office":
        context["assign"] = AssignForm(people=queries.people_below(request.actor), places=True)
    return show_list(request, QUEUES[name], "console/work/queue.html", **context)


@opens(Permission.WORK_USE)
@require_safe
def item(request: HttpRequest, number: int) -> HttpResponse:
    """One item: whose it is, until when, and what can be done with it."""
    return _item_page(request, queries.item_named(request.actor, number))


@opens(Permission.WORK_USE)
@require_safe
def open_item(request: HttpRequest, number: int) -> HttpResponse:
    """Where the work of an item is done."""
    found = queries.item_named(request.actor, number)
    kind = kinds().get(found.kind)
    if kind is None or kind.address is None:
        return redirect("console:work_item", number)
    page, *arguments = kind.address(found.subject)
    return redirect(reverse(str(page), args=arguments))


@opens(Permission.WORK_USE)
@require_POST
def next_case(request: HttpRequest) -> HttpResponse:
    """The case that is due first; of one kind when the list was filtered so."""
    try:
        taken = take_next(request.actor, kind=request.POST.get("kind", "")[:60])
    except Refused as refusal:
        if refusal.code is not Code.WORK_NOTHING_NEXT:
            raise
        messages.info(request, refusal.text(language()))
        return redirect("console:work_queue", "unassigned")
    return redirect("console:work_item", taken.pk)


@opens(Permission.WORK_USE)
@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """The row whose button was pressed."""
    text = request.POST.get("item", "")
    taken = take_work(request.actor, item_id=int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0)
    messages.success(request, _("It is yours now: %(case)s") % {"case": taken.number}, extra_tags="good")
    return redirect("console:work_item", taken.pk)


@opens(Permission.WORK_USE)
@require_POST
def item_verb(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    """Give back, put off, take up again, assign. A refusal is told beside what was typed."""
    found = queries.item_named(request.actor, number)
    forms: dict[str, Any] = {}
    if verb == "postpone":
        forms["postpone"] = PostponeForm(request.POST)
    elif verb == "assign":
        forms["assign"] = AssignForm(request.POST, people=queries.able(found.permission, found.organisation_id))
    form = forms.get(verb)
    if form is not None and not form.is_valid():
        return _item_page(request, found, status=422, **forms)
    try:
        _VERBS[verb](request, found, form)
    except Refused as refusal:
        return _item_page(request, found, status=refusal.http, problem=told(refusal), **forms)
    return redirect("console:work_queue", "mine") if verb != "resume" else redirect("console:work_item", number)


@opens(Permission.WORK_ASSIGN)
@require_POST
def assign_many(request: HttpRequest) -> HttpResponse:
    """The ticked items to one person: all of them or none."""
    ids = [int(text) for text in request.POST.getlist("ticked") if text.isascii() and text.isdigit() and len(text) < 19]
    form = AssignForm(request.POST, people=queries.people_below(request.actor), places=True)
    if not form.is_valid():
        messages.error(request, _("Choose a person"), extra_tags="stop")
        return redirect("console:work_queue", "office")
    given = assign_work(request.actor, item_ids=ids, to=form.cleaned_data["to"])
    name = dict(form.fields["to"].choices)[form.cleaned_data["to"]]  # type: ignore[attr-defined]
    text = ngettext("%(n)s case is with %(name)s now", "%(n)s cases are with %(name)s now", len(given))
    messages.success(request, text % {"n": len(given), "name": name}, extra_tags="good")
    return redirect("console:work_queue", "office")


def _give_back(request: HttpRequest, found: WorkItem, form: None) -> None:
    give_back(request.actor, item_id=found.pk)
    messages.success(request, _("Given back: %(case)s") % {"case": found.number}, extra_tags="good")


def _postpone(request: HttpRequest, found: WorkItem, form: PostponeForm) -> None:
    postpone(request.actor, item_id=found.pk, until=form.cleaned_data["until"], reason=form.cleaned_data["reason"])
    messages.success(request, _("Put off: %(case)s") % {"case": found.number}, extra_tags="good")


def _resume(request: HttpRequest, found: WorkItem, form: None) -> None:
    resume(request.actor, item_id=found.pk)


def _assign(request: HttpRequest, found: WorkItem, form: AssignForm) -> None:
    assign_work(request.actor, item_ids=[found.pk], to=form.cleaned_data["to"])
    messages.success(request, _("Assigned: %(case)s") % {"case": found.number}, extra_tags="good")


_VERBS: dict[str, Callable[..., None]] = {
    "give-back": _give_back,
    "postpone": _postpone,
    "resume": _resume,
    "assign": _assign,
}


def _item_page(request: HttpRequest, found: WorkItem, status: int = 200, **more: Any) -> HttpResponse:
    actor = request.actor
    own = found.assignee_id == actor.staff_id
    free = found.assignee_id is None and found.state == "open"
    context = {
        "item": found,
        "title": found.title(language()),
        "step": step(found),
        "holder": queries.holders_of([found]).get((found.kind, found.subject)),
        "left": days_left(found),
        "todo": todo(found),
        "own": own,
        "may_take": free and found.organisation_id == actor.organisation and found.permission in actor.permissions,
    }
    if found.state != "done" and actor.may(Permission.WORK_ASSIGN) and actor.reaches(found.organisation):
        context["assign"] = AssignForm(people=queries.able(found.permission, found.organisation_id))
    if own and found.state == "open":
        context["postpone"] = PostponeForm()
    return render(request, "console/work/item.html", context | more, status=status)
