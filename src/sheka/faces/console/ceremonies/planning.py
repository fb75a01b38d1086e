"""Planning a ceremony: what waits to be carried out, what can be rehearsed, the roster; asking for one (K6)."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sheka.faces.console.ceremonies.forms import AskForm, RosterForm
from sheka.faces.console.doors import opens
from sheka.faces.console.telling import told
from sheka.faces.console.words import language
from sheka.foundation.refusals import Refused
from sheka.foundation.terms import Term
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.queries import proposal_read_by
from sheka.office.staff.permissions import Permission
from sheka.systems.ceremonies.actions.plan_ceremony import plan_ceremony
from sheka.systems.ceremonies.actions.propose_ceremony import propose_ceremony
from sheka.systems.ceremonies.queries import to_carry_out
from sheka.systems.ceremonies.scripts import PLAN, Script, ScriptStep, script_for, scripts_on


@dataclass(frozen=True, slots=True)
class ToPlan:
    """An approved request, and the ceremonies that would carry it out: kind and title of each."""

    proposal: Proposal
    title: str
    about: str
    ways: list[tuple[str, str]]


@opens(Permission.CEREMONY_PLAN)
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """What could be planned now; asking for a ceremony that needs an approval of its own."""
    scripts = scripts_on(timezone.localdate())
    asked_for = [(one.kind, one.title.text(language())) for one in scripts if one.approval == PLAN]
    form = AskForm(request.POST if request.method == "POST" else None, kinds=asked_for)
    problem, status = None, 200
    if request.method == "POST" and form.is_valid():
        try:
            made = propose_ceremony(request.actor, **form.cleaned_data)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, _("The request is put before its deciders."), extra_tags="good")
            return redirect("console:approvals_one", made.pk)
    kinds = {one.approval for one in scripts}
    context = {
        "waiting": [_to_plan(row, scripts) for row in to_carry_out(request.actor, kinds)],
        "kinds": [(one.kind, one.title.text(language())) for one in scripts],
        "form": form,
        "problem": problem,
    }
    return render(request, "console/ceremonies/choose.html", context, status=status)


@opens(Permission.CEREMONY_PLAN)
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest, kind: str) -> HttpResponse:
    """The roster, for an approved request (`?request=`) or for a rehearsal."""
    script = script_for(kind, timezone.localdate())
    named = request.GET.get("request", "")
    proposal = proposal_read_by(request.actor, int(named)) if named.isdecimal() else None
    posted = request.POST if request.method == "POST" else None
    form = RosterForm(posted, actor=request.actor, script=script, proposal=proposal)
    problem, status = None, 200
    if posted is not None and form.is_valid():
        try:
            made = plan_ceremony(
                request.actor,
                kind=kind,
                proposal_id=proposal.pk if proposal else None,
                rehearsal=proposal is None,
                **form.plan(),
            )
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, _("The ceremony is planned, its people are told."), extra_tags="good")
            return redirect("console:ceremonies_one", made.number)
    context = {
        "script": script,
        "title": script.title.text(language()),
        "steps": [_step(step) for step in script.steps],
        "proposal": proposal,
        "about": proposal.matter.told_apart(proposal.payload, language()) if proposal else "",
        "form": form,
        "problem": problem,
        "address": request.get_full_path(),
    }
    return render(request, "console/ceremonies/plan.html", context, status=status)


def _step(step: ScriptStep) -> str:
    """A step's title before it is written out; what is done for each key says so."""
    return Term(step.zh, step.en).text(language()).replace("{key}", _("each key"))


def _to_plan(proposal: Proposal, scripts: list[Script]) -> ToPlan:
    ways = [
        (one.kind, one.title.text(language()))
        for one in scripts
        if one.approval == proposal.kind and (proposal.kind != PLAN or proposal.payload["kind"] == one.kind)
    ]
    title, about = proposal.matter.title.text(language()), proposal.matter.told_apart(proposal.payload, language())
    return ToPlan(proposal, title, about, ways)
