"""What a reader does with a request: decide, complete, reassign, withdraw."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sheka.faces.console.account.confirm import confirm
from sheka.faces.console.approvals.forms import VERDICTS, CompleteForm, DecideForm, ReassignForm, WithdrawForm
from sheka.faces.console.approvals.views import request_page
from sheka.faces.console.doors import open_to_staff
from sheka.faces.console.telling import told
from sheka.faces.console.words import language
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.actions.amend import amend
from sheka.office.approvals.actions.decide import decide, seat_to_decide
from sheka.office.approvals.actions.reassign import reassign
from sheka.office.approvals.actions.withdraw import withdraw
from sheka.office.approvals.matters import with_changes
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.queries import could_decide, may_amend, proposal_read_by


@open_to_staff
@require_POST
def decide_it(request: HttpRequest, key: int) -> HttpResponse:
    """Record the verdict about what stood on the page; where the step asks for it, after presence was proved."""
    proposal = proposal_read_by(request.actor, key)
    form = DecideForm(request.POST)
    if not form.is_valid():
        return request_page(request, proposal, decide_form=form)
    verdict, seen = form.cleaned_data, {"digest": form.cleaned_data["digest"], "step": form.cleaned_data["step"]}
    try:
        seat_to_decide(request.actor, proposal, **seen)
        if proposal.step_now.confirm:
            page = confirm(request, proposal.digest, _about(proposal, verdict["verdict"]))
            if page is not None:
                return page
        decide(request.actor, proposal_id=key, verdict=verdict["verdict"], reason=verdict["reason"], **seen)
    except Refused as refusal:
        return _refused(request, key, refusal)
    return _done(request, key, _("Your decision is recorded."))


@open_to_staff
@require_http_methods(["GET", "HEAD", "POST"])
def complete_it(request: HttpRequest, key: int) -> HttpResponse:
    """Change what was asked to be changed; the request goes back to its deciders as a new version."""
    proposal = proposal_read_by(request.actor, key)
    if not may_amend(request.actor, proposal):
        raise Refused(Code.PERMISSION_MISSING, permission=proposal.matter.proposes.value)
    posted = request.POST if request.method == "POST" else None
    form = CompleteForm(posted, matter=proposal.matter, payload=proposal.payload)
    problem = None
    if posted is not None and form.is_valid():
        try:
            payload = with_changes(proposal.matter, proposal.payload, form.changes())
            note, digest = form.cleaned_data["note"], request.POST.get("digest", "")
            amend(request.actor, proposal_id=key, digest=digest, payload=payload, note=note)
        except Refused as refusal:
            problem = told(refusal)
        else:
            return _done(request, key, _("The request goes back to its deciders as a new version."))
    asked = proposal.decisions.filter(verdict="supplement").last()
    context = {
        "proposal": proposal,
        "title": proposal.matter.title.text(language()),
        "form": form,
        "problem": problem,
        "asked": asked,
    }
    return render(request, "console/approvals/complete.html", context, status=409 if problem else 200)


@open_to_staff
@require_POST
def reassign_it(request: HttpRequest, key: int) -> HttpResponse:
    """Give it to one of those who could decide it, or back to all of them."""
    proposal = proposal_read_by(request.actor, key)
    people = [(staff.pk, staff.name) for staff in could_decide(proposal)]
    form = ReassignForm(request.POST, people=people, prefix="reassign")
    if not form.is_valid():
        return request_page(request, proposal, reassign_form=form)
    to = form.cleaned_data["to"]
    try:
        reassign(request.actor, proposal_id=key, to=int(to) if to else None, reason=form.cleaned_data["reason"])
    except Refused as refusal:
        return _refused(request, key, refusal)
    return _done(request, key, _("The request is reassigned."))


@open_to_staff
@require_POST
def withdraw_it(request: HttpRequest, key: int) -> HttpResponse:
    """The author takes it back, or asks the organisation in turn to let it go."""
    proposal = proposal_read_by(request.actor, key)
    form = WithdrawForm(request.POST, prefix="withdraw")
    if not form.is_valid():
        return request_page(request, proposal, withdraw_form=form)
    try:
        left = withdraw(request.actor, proposal_id=key, reason=form.cleaned_data["reason"])
    except Refused as refusal:
        return _refused(request, key, refusal)
    gone = left.state == "withdrawn"
    return _done(request, key, _("The request is withdrawn.") if gone else _("The withdrawal is asked for."))


def _about(proposal: Proposal, verdict: str) -> str:
    """What is confirmed, in one sentence."""
    return _("%(verdict)s: %(title)s, version %(version)s") % {
        "verdict": dict(VERDICTS)[verdict],
        "title": proposal.matter.title.text(language()),
        "version": proposal.version,
    }


def _done(request: HttpRequest, key: int, said: str) -> HttpResponse:
    messages.success(request, said, extra_tags="good")
    return redirect("console:approvals_one", key)


def _refused(request: HttpRequest, key: int, refusal: Refused) -> HttpResponse:
    """The page as it is now, with the sentence why the verb was refused."""
    proposal = proposal_read_by(request.actor, key)
    return request_page(request, proposal, problem=told(refusal), status=refusal.http)
