"""Reporting an incident: one page, a minute, by anybody on the staff (K9)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sheka.faces.console.doors import opens
from sheka.faces.console.incidents.forms import LookForm, ReportForm
from sheka.faces.console.incidents.words import clock_stamp, kind_word, state_stamp, thing_word
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Refused
from sheka.office.documents.actions.keep_document import keep_document
from sheka.office.incidents.actions.report_incident import MOST, report_incident, subjects_of
from sheka.office.incidents.models import Incident
from sheka.office.incidents.plans import kinds
from sheka.office.incidents.queries import find_things, reported_by
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

EVIDENCE = "incident_evidence"


@dataclass(frozen=True, slots=True)
class Box:
    """A thing that can be ticked as affected."""

    subject: str
    sort: str
    name: str
    note: str
    ticked: bool


@opens(Permission.INCIDENT_REPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """The form; looking for what is affected comes back to it, reporting leads to the incident."""
    posted = request.POST if request.method == "POST" else None
    looking = posted is not None and "look" in posted
    boxes = _boxes(request)
    form = ReportForm(None if posted is None else posted, request.FILES or None)
    if looking:
        form = ReportForm(initial={name: posted.get(name, "") for name in ("kind", "about", "noticed_at")})
    problem = None
    if posted is not None and not looking and form.is_valid():
        try:
            made = report_incident(
                request.actor,
                kind=form.cleaned_data["kind"],
                subject=[box.subject for box in boxes if box.ticked],
                about=form.cleaned_data["about"],
                noticed_at=form.cleaned_data["noticed_at"],
            )
        except Refused as refusal:
            problem = told(refusal)
        else:
            return _reported(request, made, form)
    given = posted.get("look-sort", "") if posted is not None else ""
    context = {
        "form": form,
        "look": LookForm(initial={"sort": given or next(iter(kinds().values())).things[0]}),
        "boxes": boxes,
        "looked": looking,
        "problem": problem,
        "own": [(row, kind_word(row.kind), state_stamp(row), clock_stamp(row)) for row in _own(request.actor)],
    }
    bad = problem is not None or (not looking and form.errors)
    return render(request, "console/incidents/report.html", context, status=422 if bad else 200)


def _boxes(request: HttpRequest) -> list[Box]:
    """What was ticked before, and what is found now; what was typed and is not found is offered as it is, ticked."""
    if request.method != "POST":
        return []
    boxes = {}
    for subject in request.POST.getlist("affected")[:MOST]:
        boxes[subject] = _box(subject, "", True)
    sort, text = request.POST.get("look-sort", ""), request.POST.get("look-text", "").strip()
    typed = f"{sort}:{text}"
    if text and _names_a_thing(typed):
        for thing in find_things(request.actor, sort, text):
            subject = f"{sort}:{thing.name}"
            note = ", ".join(filter(None, (thing.title, thing.note)))
            ticked = subject in boxes or thing.name == text
            boxes[subject] = _box(subject, note, ticked)
        if typed not in boxes:
            boxes[typed] = _box(typed, _("as typed"), not any(key.startswith(f"{sort}:{text}") for key in boxes))
    return list(boxes.values())


def _box(subject: str, note: str, ticked: bool) -> Box:
    return Box(subject, thing_word(subject), subject.partition(":")[2], note, ticked)


def _names_a_thing(subject: str) -> bool:
    try:
        return bool(subjects_of([subject]))
    except Refused:
        return False


def _reported(request: HttpRequest, made: Incident, form: ReportForm) -> HttpResponse:
    """Say so; what shows it is kept beside it, whatever else the reporter may do with documents."""
    said = _("Reported as %(number)s. Those above and the people of the plan have been told.")
    messages.success(request, said % {"number": made.number}, extra_tags="good")
    given = form.cleaned_data["document"]
    if given:
        actor = replace(request.actor, permissions=request.actor.permissions | {Permission.DOCUMENT_KEEP})
        try:
            keep_document(
                actor, kind=EVIDENCE, subject=made.subject, filename=given.name, content=given.read()
            )  # fmt: skip
        except Refused as refusal:
            sentence = told(refusal)
            messages.error(
                request,
                _("The document was not kept: %(why)s") % {"why": f"{sentence.text} {sentence.todo}"},
                extra_tags="stop",
            )
    if reported_by(request.actor).filter(pk=made.pk).exists():
        return redirect("console:incidents_one", made.number)
    return redirect("console:incidents_report")


def _own(actor: Actor) -> list[Incident]:
    """What this person reported, the latest first."""
    return list(reported_by(actor)[:10])
