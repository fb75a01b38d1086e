"""The page of one incident, and its verbs (K9, console.md §4.2.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from sheka.faces.console.account.confirm import confirm
from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens
from sheka.faces.console.incidents import page
from sheka.faces.console.incidents.forms import TextForm
from sheka.faces.console.incidents.words import clock_stamp, kind_word, said, severity_stamp, state_stamp
from sheka.faces.console.telling import Told, told
from sheka.faces.console.words import in_chinese
from sheka.foundation.refusals import Refused
from sheka.office.incidents.actions.decide_incident import CONFIRMED, decide_incident
from sheka.office.incidents.actions.handle_incident import (
    answer_demand,
    contain_incident,
    doubt_incident,
    find_cause,
    handle_incident,
    note_progress,
    regrade_incident,
    take_incident,
)
from sheka.office.incidents.actions.settle_affected import (
    add_affected,
    freeze_affected,
    release_affected,
    settle_affected,
)
from sheka.office.incidents.actions.watch_incident import demand_more, read_incident
from sheka.office.incidents.guards import RULES, decision_digest
from sheka.office.incidents.models import Incident
from sheka.office.incidents.plans import PlanContent
from sheka.office.incidents.queries import incident_read_by
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

Given = dict[str, Any]
ACTS: dict[str, Callable[[Actor, str, Given], object]] = {
    "take": lambda actor, number, given: take_incident(actor, number=number),
    "contain": lambda actor, number, given: contain_incident(actor, number=number, text=given["text"]),
    "find_cause": lambda actor, number, given: find_cause(actor, number=number, cause=given["text"]),
    "handle": lambda actor, number, given: handle_incident(actor, number=number, measures=given["text"]),
    "doubt": lambda actor, number, given: doubt_incident(actor, number=number, reason=given["text"]),
    "note": lambda actor, number, given: note_progress(actor, number=number, text=given["text"]),
    "regrade": lambda actor, number, given: regrade_incident(
        actor, number=number, severity=given["severity"], reason=given["text"]
    ),
    "add": lambda actor, number, given: add_affected(actor, number=number, subject=given["subject"]),
    "read": lambda actor, number, given: read_incident(actor, number=number),
    "demand": lambda actor, number, given: demand_more(actor, number=number, text=given["text"]),
}
DECISIONS = ("close", "send_back", "dismiss", "uphold", "reopen")
THING_VERBS = ("freeze", "replace", "destroy", "thaw", "waive")


@opens(Permission.INCIDENT_REPORT)
@require_safe
def one(request: HttpRequest, number: str) -> HttpResponse:
    """One incident as the reader's organisation holds it."""
    return incident_page(request, incident_read_by(request.actor, number))


def incident_page(
    request: HttpRequest, incident: Incident, *, problem: Told | None = None, status: int = 200, **returned: Any
) -> HttpResponse:
    """The page; `returned` are forms with errors by their verb, `problem` the refusal of a verb."""
    actor, entries = request.actor, list(incident.entries.all())
    places = page.places_of(incident, entries)
    able, barred = page.verbs_of(actor, incident, returned)
    plan, things = PlanContent.of(incident.plan), page.things_of(actor, incident)
    context = {
        "incident": incident,
        "kind": kind_word(incident.kind),
        "stamps": [severity_stamp(incident.severity), state_stamp(incident), clock_stamp(incident)],
        "origin": places.get(incident.origin, incident.origin),
        "reported_from": places.get(incident.reported_from, incident.reported_from),
        "clocks": page.clocks_of(incident),
        "things": things,
        "may_settle": any(thing.verbs for thing in things),
        "may_see_desk": actor.may(Permission.INCIDENT_VIEW),
        "follow_ups": page.follow_ups_of(incident),
        "readers": page.readers_of(incident, places),
        "demands": page.demands_of(incident, places),
        "may_answer": page.refusal_of(actor, incident, "answer") is None,
        "answer_form": returned.get("answer") or TextForm(prefix="answer"),
        "moments": page.moments_of(incident, entries, places),
        "plan_steps": plan.steps if in_chinese() else plan.steps_en or plan.steps,
        "plan_contacts": plan.contacts,
        "able": able,
        "first": next((verb for verb in able if verb.name in page.FIRST), None),
        "barred": barred,
        "problem": problem,
        "documents": _documents(actor, incident),
    }
    return render(request, "console/incidents/incident.html", context, status=status)


@opens(Permission.INCIDENT_VIEW)
@require_POST
def do(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """A verb of the incident as a whole."""
    if verb not in (*ACTS, *DECISIONS):
        raise Http404
    incident = incident_read_by(request.actor, number)
    form = page.form_for(verb, request.POST)
    if form is not None and not form.is_valid():
        return incident_page(request, incident, status=422, **{verb: form})
    given = dict(form.cleaned_data) if form is not None else {}
    if verb == "add":
        given["subject"] = form.subject()
    try:
        if verb in DECISIONS:
            asked = _presence(request, incident, verb) if verb in CONFIRMED else None
            if asked is not None:
                return asked
            decide_incident(request.actor, number=number, verb=verb, reason=given["text"])
        else:
            ACTS[verb](request.actor, number, given)
    except Refused as refusal:
        return _refused(request, number, refusal)
    return _done(request, number, _("Recorded: %(what)s") % {"what": said(RULES[verb].title)})


@opens(Permission.INCIDENT_HANDLE)
@require_POST
def answer(request: HttpRequest, number: str, demand: str) -> HttpResponse:
    """The answer to what an organisation above asked for."""
    incident, form, key = (
        incident_read_by(request.actor, number),
        TextForm(request.POST, prefix="answer"),
        page.demand_key(demand),
    )
    if key is None:
        raise Http404
    if not form.is_valid():
        return incident_page(request, incident, status=422, answer=form)
    try:
        answer_demand(request.actor, number=number, demand=key, text=form.cleaned_data["text"])
    except Refused as refusal:
        return _refused(request, number, refusal)
    return _done(request, number, _("The answer is on its way."))


@opens(Permission.INCIDENT_HANDLE, Permission.INCIDENT_CLOSE)
@require_POST
def settle(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """A verb of one of the things that are affected."""
    if verb not in THING_VERBS:
        raise Http404
    incident, subject = incident_read_by(request.actor, number), request.POST.get("subject", "")
    form = TextForm(request.POST, prefix="thing")
    if verb != "freeze" and not form.is_valid():
        return _asked(request, incident, verb, subject, form)
    try:
        if verb == "freeze":
            freeze_affected(request.actor, number=number, subject=subject)
        elif verb in ("replace", "destroy"):
            reason = form.cleaned_data["text"]
            settle_affected(request.actor, number=number, subject=subject, verb=verb, reason=reason)
        else:
            asked = _presence(request, incident, verb, subject)
            if asked is not None:
                return asked
            reason = form.cleaned_data["text"]
            release_affected(request.actor, number=number, subject=subject, verb=verb, reason=reason)
    except Refused as refusal:
        return _refused(request, number, refusal)
    return _done(request, number, _("Recorded for %(subject)s") % {"subject": subject})


def _asked(request: HttpRequest, incident: Incident, verb: str, subject: str, form: TextForm) -> HttpResponse:
    """The page between a thing and its verb, which asks for the reason."""
    first = "thing-text" not in request.POST
    context = {
        "incident": incident,
        "kind": kind_word(incident.kind),
        "verb": verb,
        "word": page.thing_verb_word(verb),
        "subject": subject,
        "form": TextForm(prefix="thing") if first else form,
    }
    return render(request, "console/incidents/thing.html", context, status=200 if first else 422)


def _presence(request: HttpRequest, incident: Incident, verb: str, subject: str = "") -> HttpResponse | None:
    """The page that asks for presence, or None when it was proved. Raises Refused where the verb would be refused."""
    refusal = page.refusal_of(request.actor, incident, verb)
    if refusal is not None:
        raise refusal
    word = page.thing_verb_word(verb) if subject else said(RULES[verb].title)
    about = _("%(what)s: %(kind)s, %(number)s") % {
        "what": f"{word} {subject}".strip(),
        "kind": kind_word(incident.kind),
        "number": incident.number,
    }
    return confirm(request, decision_digest(incident, verb, subject), about)


def _documents(actor: Actor, incident: Incident) -> dict[str, Any] | None:
    """What is kept with it, for those who may see documents."""
    if not (actor.may(Permission.DOCUMENT_VIEW) or actor.may(Permission.DOCUMENT_KEEP)):
        return None
    return subject_context(actor, incident.subject)


def _done(request: HttpRequest, number: str, text: str) -> HttpResponse:
    messages.success(request, text, extra_tags="good")
    return redirect("console:incidents_one", number)


def _refused(request: HttpRequest, number: str, refusal: Refused) -> HttpResponse:
    incident = incident_read_by(request.actor, number)
    return incident_page(request, incident, problem=told(refusal), status=refusal.http)
