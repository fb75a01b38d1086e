"""The page of one request: where it is, what it asks, how it went, and the reader's decision or why there is none."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sheka.faces.console.approvals.forms import DecideForm, ReassignForm, WithdrawForm
from sheka.faces.console.approvals.page import lines_of, moments_of, rule_of, steps_of
from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import open_to_staff
from sheka.faces.console.places import labels
from sheka.faces.console.telling import Told, told
from sheka.faces.console.words import REQUEST_WORDS, language
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.queries import (
    could_decide,
    may_amend,
    may_reassign,
    may_withdraw,
    proposal_read_by,
    why_not,
)
from sheka.office.staff.permissions import Permission


@open_to_staff
@require_safe
def one(request: HttpRequest, key: int) -> HttpResponse:
    """One request as the reader's organisation holds it."""
    return request_page(request, proposal_read_by(request.actor, key))


def request_page(
    request: HttpRequest,
    proposal: Proposal,
    *,
    problem: Told | None = None,
    status: int = 200,
    **forms: Any,
) -> HttpResponse:
    """The page; `forms` are those that came back with errors, `problem` the refusal of a verb."""
    actor = request.actor
    places = labels({proposal.origin, proposal.turn, *(step.organisation for step in proposal.way.steps)})
    steps = steps_of(proposal, places)
    refusal = why_not(actor, proposal)
    reassigns = may_reassign(actor, proposal)
    deciders = could_decide(proposal) if proposal.state == "open" and proposal.in_turn_here else []
    people = [(staff.pk, staff.name) for staff in deciders]
    context = {
        "proposal": proposal,
        "title": proposal.matter.title.text(language()),
        "about": proposal.matter.told_apart(proposal.payload, language()),
        "stamp": REQUEST_WORDS[proposal.state],
        "origin": places.get(proposal.origin, proposal.origin),
        "turn": places.get(proposal.turn, ""),
        "author": proposal.versions.first(),  # none in what was decided before the engine
        "steps": steps,
        "rule": rule_of(steps, proposal) if proposal.state == "open" else "",
        "lines": lines_of(proposal),
        "moments": moments_of(proposal, places),
        "deciders": deciders,
        "problem": problem,
        "refusal": told(refusal) if refusal else None,
        "may_amend": may_amend(actor, proposal),
        "may_withdraw": may_withdraw(actor, proposal),
        "documents": _documents(request, proposal),
        "decide_form": None if refusal else DecideForm(),
        "reassign_form": ReassignForm(people=people, prefix="reassign") if reassigns else None,
        "withdraw_form": WithdrawForm(prefix="withdraw") if may_withdraw(actor, proposal) else None,
    }
    return render(request, "console/approvals/request.html", context | forms, status=status)


def _documents(request: HttpRequest, proposal: Proposal) -> dict[str, Any] | None:
    """What is kept with the request, for those who may see documents."""
    actor = request.actor
    if not (actor.may(Permission.DOCUMENT_VIEW) or actor.may(Permission.DOCUMENT_KEEP)):
        return None
    return subject_context(actor, proposal.key)
