"""Third parties: the file with its conditions as a task list, its clocks, hand-over, reports, return (K7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.custody import forms
from sheka.faces.console.custody.asking import Crumb, Question, ask, sent
from sheka.faces.console.custody.lists import FILINGS, PARTIES
from sheka.faces.console.custody.words import ENTRUSTMENT_TONES, carrier_stamp, said, stamp
from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens
from sheka.faces.console.lists import show_list
from sheka.faces.console.telling import told
from sheka.office.approvals.queries import readable_by
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody import queries
from sheka.systems.custody.actions.entrust_carriers import (
    bring_back,
    give_up_entrustment,
    hand_to_party,
    prepare_entrustment,
    register_filing,
    report_supervision,
    set_agreement,
    set_supervision,
    submit_plan,
)
from sheka.systems.custody.conditions import conditions
from sheka.systems.custody.labels import ENTRUSTMENT_STATES
from sheka.systems.custody.models import Entrustment, HandOver
from sheka.systems.custody.policy import rules


@dataclass(frozen=True, slots=True)
class Verb:
    """Something done with a file on a page of its own. `states`: in which it is offered."""

    word: str | Promise
    lede: str | Promise
    needs: Permission
    form: type[forms.FileForm]
    act: Callable[[Actor, str, dict[str, Any]], object]
    states: tuple[str, ...]
    supervisor: bool = False
    danger: bool = False


def _report(actor: Actor, number: str, given: dict[str, Any]) -> object:
    document = int(given["document"]) if given["document"] else None
    in_order = given["in_order"] == "yes"
    return report_supervision(actor, number=number, seen=given["seen"], in_order=in_order, document_id=document)


VERBS: dict[str, Verb] = {
    "agreement": Verb(
        gettext_lazy("Name the agreement"),
        gettext_lazy("Keep the agreement that both signed with the documents of this file first."),
        Permission.CARRIER_ENTRUST,
        forms.AgreementForm,
        lambda actor, number, given: set_agreement(
            actor, number=number, document_id=int(given["document"]), valid_to=given["valid_to"]
        ),
        ("prepared", "out"),
    ),
    "plan": Verb(
        gettext_lazy("Put the plan before its reviewers"),
        gettext_lazy("Another plan makes the approval of an earlier one void."),
        Permission.CARRIER_ENTRUST,
        forms.PlanForm,
        lambda actor, number, given: submit_plan(actor, number=number, document_id=int(given["document"])),
        ("prepared", "out"),
    ),
    "supervision": Verb(
        gettext_lazy("Name supervisor and return date"),
        gettext_lazy("The supervisor goes along, watches the use, reports, and brings everything back."),
        Permission.CARRIER_ENTRUST,
        forms.SupervisionForm,
        lambda actor, number, given: set_supervision(actor, number=number, **given),
        ("prepared", "out"),
    ),
    "hand": Verb(
        gettext_lazy("Hand carriers to the third party"),
        gettext_lazy("The supervisor confirms the receipt, in a session of his or her own, and goes along."),
        Permission.CARRIER_ENTRUST,
        forms.HandToPartyForm,
        lambda actor, number, given: hand_to_party(actor, number=number, **given),
        ("prepared", "out"),
    ),
    "report": Verb(
        gettext_lazy("Report on the supervision"),
        gettext_lazy("What was done with the carriers, where, and who was present."),
        Permission.CARRIER_TAKE,
        forms.ReportForm,
        _report,
        ("out",),
        supervisor=True,
    ),
    "back": Verb(
        gettext_lazy("Bring carriers back"),
        gettext_lazy("A custodian receives them; seal and content are checked before they are used again."),
        Permission.CARRIER_TAKE,
        forms.BringBackForm,
        lambda actor, number, given: bring_back(actor, number=number, **given),
        ("out",),
        supervisor=True,
    ),
    "give-up": Verb(
        gettext_lazy("Give the file up"),
        gettext_lazy("Nothing went out, and nothing will."),
        Permission.CARRIER_ENTRUST,
        forms.FileForm,
        lambda actor, number, given: give_up_entrustment(actor, number=number),
        ("prepared",),
        danger=True,
    ),
}
TASKS = {
    "agreement": "agreement",
    "plan": "plan",
    "supervisor": "supervision",
    "return_date": "supervision",
    "filing": "",
}


@opens(Permission.CARRIER_VIEW)
@require_safe
def parties(request: HttpRequest) -> HttpResponse:
    """The files of what third parties have or had."""
    return show_list(
        request, PARTIES, "console/custody/parties.html", may_begin=request.actor.may(Permission.CARRIER_ENTRUST)
    )


@opens(Permission.CARRIER_VIEW)
@require_safe
def filings(request: HttpRequest) -> HttpResponse:
    """The filings of suppliers."""
    return show_list(
        request, FILINGS, "console/custody/filings.html", may_begin=request.actor.may(Permission.CARRIER_ENTRUST)
    )


@opens(Permission.CARRIER_ENTRUST)
@require_http_methods(["GET", "HEAD", "POST"])
def party_new(request: HttpRequest) -> HttpResponse:
    """Open a file."""
    actor = request.actor
    question = Question(
        title=_("Open a third-party file"),
        button=pgettext("custody", "Open it"),
        done=_("The file is open: fulfil its conditions"),
        crumbs=(_above(),),
        lede=_("Nothing goes out before its conditions are fulfilled."),
    )
    form = forms.PartyForm(sent(request), actor=actor)
    return ask(request, question, form, lambda given: prepare_entrustment(actor, **given), _address)


@opens(Permission.CARRIER_ENTRUST)
@require_http_methods(["GET", "HEAD", "POST"])
def filing_new(request: HttpRequest) -> HttpResponse:
    """Register a supplier's filing."""
    actor, address = request.actor, reverse("console:custody_filings")
    question = Question(
        title=_("Register a filing"),
        button=pgettext("custody", "Register it"),
        done=_("The filing was registered"),
        crumbs=(_above(), Crumb(_("Filings of suppliers"), address)),
    )
    form = forms.FilingForm(sent(request), actor=actor)
    return ask(request, question, form, lambda given: register_filing(actor, **given), lambda made: address)


@opens(Permission.CARRIER_VIEW)
@require_safe
def party(request: HttpRequest, number: str) -> HttpResponse:
    """One file: conditions as tasks, clocks, what is out, reports, documents."""
    actor, row = request.actor, queries.entrustment(request.actor, number)
    today = timezone.localdate()
    last = row.reports.first()
    report_due = timezone.localdate(last.at if last else row.out_at) + rules().report_every if row.out_at else None
    context = {
        "row": row,
        "stamp": stamp(row.state, ENTRUSTMENT_STATES, ENTRUSTMENT_TONES),
        "tasks": [
            {
                "title": said(condition.title),
                "missing": told(condition.missing) if condition.missing else None,
                "until": condition.until,
                "filing": condition.name == "filing" and actor.may(Permission.CARRIER_ENTRUST),
                "verb": TASKS[condition.name] if _offered(actor, row, TASKS[condition.name]) else "",
            }
            for condition in conditions(row, today)
        ],
        "verbs": [(name, VERBS[name]) for name in VERBS if name not in TASKS.values() and _offered(actor, row, name)],
        "days_left": (row.return_by - today).days if row.return_by else None,
        "days_late": (today - row.return_by).days if row.return_by else None,
        "report_due": report_due if row.state == "out" else None,
        "report_late": report_due is not None and report_due < today,
        "carriers": [(one, carrier_stamp(one.state)) for one in queries.carriers(actor).filter(serial__in=row.serials)],
        "plan_request": readable_by(actor).filter(number=row.plan_approval).first() if row.plan_approval else None,
        "reports": list(row.reports.select_related("document")),
        "crumb": _above(),
    }
    if actor.may(Permission.DOCUMENT_VIEW):
        context["documents"] = subject_context(actor, row.subject)
    return render(request, "console/custody/party.html", context)


@opens(Permission.CARRIER_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def party_verb(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """Ask for what the verb needs, then carry it out."""
    what = VERBS.get(verb)
    if what is None:
        raise Http404
    actor = request.actor
    actor.require(what.needs)
    row = queries.entrustment(actor, number)
    question = Question(
        title=what.word,
        button=what.word,
        done=_("Done: %(verb)s") % {"verb": what.word},
        crumbs=(_above(), Crumb(number, _address(row))),
        lede=what.lede,
        danger=what.danger,
    )

    def to(made: object) -> str:
        begun = isinstance(made, HandOver)
        return reverse("console:custody_hand_over", args=[made.number]) if begun else _address(row)  # type: ignore[attr-defined]

    form = what.form(sent(request), actor=actor, file=row, initial=_first(verb, row))
    return ask(request, question, form, lambda given: what.act(actor, number, given), to)


def _first(verb: str, row: Entrustment) -> dict[str, Any]:
    """What a form begins with."""
    if verb == "supervision":
        return {"supervisor": row.supervisor.login if row.supervisor else "", "return_by": row.return_by}
    return {"serials": "\n".join(row.serials)} if verb == "back" else {}


def _offered(actor: Actor, row: Entrustment, verb: str) -> bool:
    what = VERBS.get(verb)
    if what is None or not actor.may(what.needs) or row.state not in what.states:
        return False
    return not what.supervisor or row.supervisor_id == actor.staff_id


def _address(row: Entrustment) -> str:
    return reverse("console:custody_party", args=[row.number])


def _above() -> Crumb:
    return Crumb(pgettext("custody", "Third parties"), reverse("console:custody_parties"))
