"""The page of one case, and its verbs (S10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens
from sheka.faces.console.exceptions import page
from sheka.faces.console.exceptions.forms import in_fen
from sheka.faces.console.exceptions.words import (
    due_stamp,
    facts_in_words,
    reason_word,
    resolution_of,
    said,
    state_stamp,
)
from sheka.faces.console.places import labels
from sheka.faces.console.telling import Told, told
from sheka.faces.console.transactions.page import shown
from sheka.foundation.refusals import Refused
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.actions.adjust_case import propose_adjustment, propose_decision
from sheka.systems.exceptions.actions.follow_dispute import withdraw_dispute
from sheka.systems.exceptions.actions.handle_case import (
    ask_other_side,
    assign_case,
    close_case,
    extend_case,
    give_back_case,
    note_answer,
    note_case,
    reopen_case,
    take_case,
)
from sheka.systems.exceptions.guards import VERBS
from sheka.systems.exceptions.labels import CLOSINGS, COMPLAINTS, OUTCOMES, SIDES
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.exceptions.queries import case_read_by, dispute_of, others_about
from sheka.systems.transactions.queries_of_messages import messages_of

Given = dict[str, Any]
ACTS: dict[str, Callable[[Actor, str, Given], object]] = {
    "take": lambda actor, number, given: take_case(actor, number=number),
    "give_back": lambda actor, number, given: give_back_case(actor, number=number),
    "assign": lambda actor, number, given: assign_case(actor, number=number, staff_id=given["staff"]),
    "note": lambda actor, number, given: note_case(actor, number=number, text=given["text"]),
    "ask": lambda actor, number, given: ask_other_side(actor, number=number, text=given["text"]),
    "answer": lambda actor, number, given: note_answer(actor, number=number, text=given["text"]),
    "close": lambda actor, number, given: close_case(
        actor, number=number, resolution=given["text"], closing=given["closing"]
    ),
    "reopen": lambda actor, number, given: reopen_case(actor, number=number, reason=given["text"]),
    "extend": lambda actor, number, given: extend_case(actor, number=number, reason=given["text"]),
    "withdraw": lambda actor, number, given: withdraw_dispute(actor, number=number, text=given["text"]),
    "adjust": lambda actor, number, given: propose_adjustment(
        actor,
        number=number,
        debit=given["debit"],
        credit=given["credit"],
        amount=in_fen(given["amount"]),
        reason=given["text"],
    ),
    "decide": lambda actor, number, given: propose_decision(
        actor, number=number, outcome=given["outcome"], amount=in_fen(given["amount"]), reason=given["text"]
    ),
}


@opens(Permission.EXCEPTION_VIEW, Permission.EXCEPTION_DISPUTE)
@require_safe
def one(request: HttpRequest, number: str) -> HttpResponse:
    """One case; whoever took a dispute at the counter sees how it stands."""
    return case_page(request, case_read_by(request.actor, number))


def case_page(
    request: HttpRequest, case: ExceptionCase, *, problem: Told | None = None, status: int = 200, **returned: Any
) -> HttpResponse:
    """The page; `returned` are forms with errors by their verb, `problem` the refusal of a verb."""
    actor = request.actor
    able, barred, first = page.verbs_of(actor, case, returned)
    rows, ours, theirs = page.sides_of(case)
    proposal = page.request_of(actor, case)
    dispute = dispute_of(case)
    context = {
        "case": case,
        "reason": reason_word(case),
        "stamps": [state_stamp(case), due_stamp(case)],
        "place": labels({case.organisation_id}).get(case.organisation_id, case.organisation_id),
        "rows": rows,
        "resolution": resolution_of(case),
        "facts": page.facts_of(case),
        "ours": ours,
        "theirs": theirs,
        "differ": sum(row.differs for row in rows),
        "messages_shown": shown(_messages(actor, case)),
        "suggestion": page.suggestion_of(case),
        "request_page": page.request_page(proposal),
        "uses": [(use, facts_in_words(use)) for use in case.rule_uses.all()[:10]],
        "closing": said(CLOSINGS[case.closing]) if case.closing else "",
        "others": [(other, reason_word(other), state_stamp(other)) for other in others_about(actor, case)],
        "moments": page.moments_of(case, list(case.events.all())),
        "dispute": dispute,
        "dispute_words": _dispute_words(dispute),
        "may_see_desk": actor.may(Permission.EXCEPTION_VIEW),
        "able": able,
        "first": first,
        "barred": barred,
        "problem": problem,
        "wrong": next((form for form in returned.values() if form.errors), None),
        "documents": _documents(actor, case),
    }
    return render(request, "console/exceptions/case.html", context, status=status)


@opens(Permission.EXCEPTION_HANDLE, Permission.EXCEPTION_DECIDE, Permission.EXCEPTION_DISPUTE)
@require_POST
def do(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """A verb of a case."""
    if verb not in ACTS:
        raise Http404
    case = case_read_by(request.actor, number)
    form = page.form_for(case, verb, request.POST)
    if form is not None and not form.is_valid():
        return case_page(request, case, status=422, **{verb: form})
    try:
        ACTS[verb](request.actor, number, dict(form.cleaned_data) if form is not None else {})
    except Refused as refusal:
        case = case_read_by(request.actor, number)
        return case_page(request, case, problem=told(refusal), status=refusal.http)
    messages.success(request, _("Recorded: %(what)s") % {"what": said(VERBS[verb].title)}, extra_tags="good")
    return redirect("console:exceptions_one", number)


def _messages(actor: Actor, case: ExceptionCase) -> list[Any]:
    """What came and went over the line about the request, decoded, for those who may see messages."""
    if case.stan is None or case.business_date is None or not actor.may(Permission.MESSAGE_VIEW):
        return []
    return messages_of(actor, case.terminal, case.business_date, case.stan)


def _dispute_words(dispute: Any) -> dict[str, str]:
    if dispute is None:
        return {}
    outcome = OUTCOMES.get(dispute.outcome)
    return {
        "side": said(SIDES[dispute.side]),
        "complaint": said(COMPLAINTS[dispute.complaint]),
        "outcome": said(outcome) if outcome else "",
    }


def _documents(actor: Actor, case: ExceptionCase) -> dict[str, Any] | None:
    """What is kept with it, for those who may see documents."""
    if not (actor.may(Permission.DOCUMENT_VIEW) or actor.may(Permission.DOCUMENT_KEEP)):
        return None
    return subject_context(actor, case.key)
