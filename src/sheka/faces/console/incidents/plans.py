"""Emergency plans and their drills: what counts, what counted, what is overdue (K9)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens
from sheka.faces.console.incidents.forms import DrillForm, PlanForm
from sheka.faces.console.incidents.words import said, severity_stamp
from sheka.faces.console.list_cells import Stamp
from sheka.faces.console.telling import told
from sheka.faces.console.words import language
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.matters import Line, matter_of, read_lines
from sheka.office.approvals.queries import readable_by
from sheka.office.incidents.actions.propose_plan import PLAN, propose_plan
from sheka.office.incidents.actions.record_drill import record_drill
from sheka.office.incidents.drills import PlanAndDrill, plans_and_drills
from sheka.office.incidents.models import DRILL_RESULTS, Plan
from sheka.office.incidents.plans import PlanContent, kind_named, plan_in_force
from sheka.office.incidents.queries import desk_code, drills_of, plans_of
from sheka.office.incidents.subjects import drill_numbered
from sheka.office.staff.permissions import Permission

DRILL_TONES = {"passed": "good", "gaps": "wait", "failed": "stop"}


@opens(Permission.INCIDENT_VIEW)
@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    """Every kind of incident: its plan, its last drill, whether that is overdue."""
    code = desk_code(request.actor)
    rows = plans_and_drills(code)
    context = {"rows": [(row, said(row.kind.title), _plan_stamp(row), _drill_stamp(row)) for row in rows]}
    return render(request, "console/incidents/plans.html", context)


@opens(Permission.INCIDENT_VIEW)
@require_safe
def plan(request: HttpRequest, kind: str) -> HttpResponse:
    """The plan that counts, its versions, one compared with the one before it, its drills."""
    code, wanted = desk_code(request.actor), kind_named(kind)
    row = next(row for row in plans_and_drills(code) if row.kind.name == kind)
    versions = plans_of(request.actor, kind)
    chosen = _chosen(request, versions)
    before = next((one for one in versions if chosen and one.version < chosen.version), None)
    content = PlanContent.of(chosen.content) if chosen else row.plan.content
    old = PlanContent.of(before.content) if before else None
    waiting = readable_by(request.actor).filter(kind=PLAN, subject=f"plan:{kind}", state="open")
    context = {
        "row": row,
        "kind": wanted,
        "title": said(wanted.title),
        "stamps": [_plan_stamp(row), _drill_stamp(row), severity_stamp(content.severity)],
        "chosen": chosen,
        "before": before,
        "lines": plan_lines(kind, content, old),
        "versions": versions,
        "waiting": waiting.first(),
        "drills": [
            (one, said(DRILL_RESULTS[one.result]), DRILL_TONES[one.result]) for one in drills_of(request.actor, kind)
        ],
        "may_plan": request.actor.may(Permission.INCIDENT_PLAN) and code == request.actor.organisation,
    }
    return render(request, "console/incidents/plan.html", context)


@opens(Permission.INCIDENT_PLAN)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, kind: str) -> HttpResponse:
    """The next version: as a request for approval."""
    now = plan_in_force(request.actor.organisation, kind_named(kind).name, timezone.localdate())
    today = timezone.localdate().isoformat()
    posted = request.POST if request.method == "POST" else None
    form, problem = PlanForm(posted, initial={**now.content.plain(), "valid_from": today}), None
    if posted is not None and form.is_valid():
        try:
            asked = propose_plan(
                request.actor, kind=kind, content=form.content(), valid_from=form.cleaned_data["valid_from"]
            )
        except Refused as refusal:
            problem = told(refusal)
        else:
            messages.success(request, _("The plan waits for its approval."), extra_tags="good")
            return redirect("console:approvals_one", asked.pk)
    context = {"form": form, "problem": problem, "kind": kind, "title": said(kind_named(kind).title), "now": now}
    return _asked(request, "console/incidents/plan_edit.html", context)


@opens(Permission.INCIDENT_PLAN)
@require_http_methods(["GET", "HEAD", "POST"])
def drill(request: HttpRequest, kind: str) -> HttpResponse:
    """Record an exercise that was held."""
    posted = request.POST if request.method == "POST" else None
    form, problem = DrillForm(posted, initial={"held_on": timezone.localdate().isoformat()}), None
    kind_named(kind)
    if posted is not None and form.is_valid():
        try:
            made = record_drill(request.actor, kind=kind, **form.cleaned_data)
        except Refused as refusal:
            problem = told(refusal)
        else:
            messages.success(request, _("The drill is recorded; its paper can be kept beside it."), extra_tags="good")
            return redirect("console:incidents_drill", made.pk)
    context = {"form": form, "problem": problem, "kind": kind, "title": said(kind_named(kind).title)}
    return _asked(request, "console/incidents/drill_record.html", context)


@opens(Permission.INCIDENT_VIEW)
@require_safe
def held(request: HttpRequest, number: int) -> HttpResponse:
    """One drill with what shows that it was held."""
    found = drill_numbered(request.actor, str(number))
    documents = request.actor.may(Permission.DOCUMENT_VIEW) or request.actor.may(Permission.DOCUMENT_KEEP)
    context = {
        "drill": found,
        "title": said(kind_named(found.kind).title),
        "stamp": Stamp(said(DRILL_RESULTS[found.result]), DRILL_TONES[found.result]),
        "documents": subject_context(request.actor, found.subject) if documents else None,
    }
    return render(request, "console/incidents/drill.html", context)


def plan_lines(kind: str, content: PlanContent, before: PlanContent | None) -> list[Line]:
    """A plan as it reads, with what stood in the version before."""
    now: dict[str, Any] = {"kind": kind, "content": content.plain()}
    old = {"kind": kind, "content": before.plain()} if before else None
    lines = read_lines(matter_of(PLAN), now, old, language())
    return [line for line in lines if line.value and line.value != "—"]


def _chosen(request: HttpRequest, versions: list[Plan]) -> Plan | None:
    """The version that the address names, else the one that counts today. Raises Refused(INCIDENT_PLAN_UNKNOWN)."""
    named, today = request.GET.get("version", ""), timezone.localdate()
    if named:
        found = next((one for one in versions if str(one.version) == named), None)
        if found is None:
            raise Refused(Code.INCIDENT_PLAN_UNKNOWN, version=named[:10])
        return found
    return next(
        (one for one in versions if one.valid_from <= today and (one.valid_to is None or today < one.valid_to)), None
    )


def _plan_stamp(row: PlanAndDrill) -> Stamp:
    if row.plan.is_default:
        return Stamp(_("Default plan, not adopted"), "wait")
    return Stamp(_("Version %(n)s in force") % {"n": row.plan.version}, "good")


def _drill_stamp(row: PlanAndDrill) -> Stamp:
    if row.overdue:
        return Stamp(_("Drill overdue"), "stop")
    if row.near:
        return Stamp(_("Drill due soon"), "wait")
    return Stamp(_("Drill held"), "good") if row.last else Stamp(_("No drill yet"), "still")


def _asked(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    bad = context["problem"] or context["form"].errors
    return render(request, template, context, status=422 if bad else 200)
