"""Papers from the console: the buttons that make them, and the page that voids one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from sheka.faces.console.documents.forms import VoidForm
from sheka.faces.console.doors import opens
from sheka.faces.console.telling import told
from sheka.faces.console.words import language
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.actions.issue_minutes import issue_minutes
from sheka.office.documents.models import Document
from sheka.office.documents.papers.making import void_paper
from sheka.office.documents.queries import document_numbered, paper_of
from sheka.office.documents.subjects import must_reach
from sheka.office.incidents.actions.issue_report import issue_report
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.issue_papers import issue_payout_order, issue_statement
from sheka.systems.cards.actions.issue_papers import issue_destruction_record, issue_receipt
from sheka.systems.custody.actions.destroy_carriers import issue_destruction_minutes


@dataclass(frozen=True, slots=True)
class Make:
    """A paper that a page can make: about which sort of subject, who may, and the action."""

    about: str
    word: str | Promise
    needs: Permission
    act: Callable[[Actor, str], Document]


MAKES: dict[str, Make] = {
    "exchange_receipt": Make(
        "exchange",
        gettext_lazy("Make the receipt"),
        Permission.EXCHANGE_APPLY,
        lambda actor, name: issue_receipt(actor, number=name),
    ),
    "approval_minutes": Make(
        "proposal",
        gettext_lazy("Make the minutes"),
        Permission.DOCUMENT_VIEW,
        lambda actor, name: issue_minutes(actor, proposal_id=int(name)),
    ),
    "incident_report": Make(
        "incident",
        gettext_lazy("Make the report"),
        Permission.INCIDENT_VIEW,
        lambda actor, name: issue_report(actor, number=name),
    ),
    "destruction_record": Make(
        "destruction",
        gettext_lazy("Make the record"),
        Permission.OLD_CARD_DESTROY,
        lambda actor, name: issue_destruction_record(actor, number=name),
    ),
    "account_statement": Make(
        "statement",
        gettext_lazy("Make the statement"),
        Permission.ACCOUNT_VIEW,
        lambda actor, name: issue_statement(actor, name=name),
    ),
    "payout_order": Make(
        "payout",
        gettext_lazy("Make the order"),
        Permission.ACCOUNT_VIEW,
        lambda actor, name: issue_payout_order(actor, number=name),
    ),
    "carrier_destruction": Make(
        "carrier_destruction",
        gettext_lazy("Make the minutes"),
        Permission.CARRIER_KEEP,
        lambda actor, name: issue_destruction_minutes(actor, number=name),
    ),
}


def papers_for(actor: Actor, subject: str) -> list[tuple[str, str]]:
    """(name, word of the button) of the papers that this actor may make about the subject."""
    word = subject.partition(":")[0]
    return [(name, str(make.word)) for name, make in MAKES.items() if make.about == word and actor.may(make.needs)]


@opens(*(make.needs for make in MAKES.values()))
@require_POST
def issue(request: HttpRequest, subject: str, name: str) -> HttpResponse:
    """Make a paper; it is looked at and printed from its own page."""
    kind, thing = must_reach(request.actor, subject), subject.partition(":")[2]
    make = MAKES.get(name)
    if make is None or make.about != kind.word:
        raise Http404
    made = make.act(request.actor, thing)
    messages.success(request, _("The paper lies ready: %(number)s") % {"number": thing}, extra_tags="good")
    if request.actor.may(Permission.DOCUMENT_VIEW):
        return redirect("console:documents_view", number=made.pk)
    return redirect("console:documents_about", subject=subject)


@opens(Permission.PAPER_VOID)
@require_http_methods(["GET", "HEAD", "POST"])
def void(request: HttpRequest, number: int) -> HttpResponse:
    """Void a paper for a reason; whoever verifies it then reads that it is void."""
    found = document_numbered(request.actor, number)
    must_reach(request.actor, found.subject)
    paper = paper_of(found)
    if paper is None:
        raise Refused(Code.PAPER_UNKNOWN, paper=number)
    form, problem = VoidForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            void_paper(request.actor, document=number, reason=form.cleaned_data["text"])
        except Refused as refusal:
            problem = refusal
        else:
            messages.success(request, _("The paper is void"), extra_tags="good")
            return redirect("console:documents_view", number=number)
    context = {
        "document": found,
        "paper": paper,
        "title": found.title.text(language()),
        "form": form,
        "problem": told(problem) if problem else None,
    }
    status = problem.http if problem else 422 if form.errors else 200
    return render(request, "console/documents/void.html", context, status=status)
