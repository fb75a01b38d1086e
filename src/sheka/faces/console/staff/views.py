"""People: the list, a person with roles and what can be done, appointing, and the sign-ins of others with a purpose."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.account.confirm import confirm
from sheka.faces.console.account.words import browser
from sheka.faces.console.doors import opens
from sheka.faces.console.lists import show_list
from sheka.faces.console.staff.forms import AppointForm, PurposeForm, WhyForm
from sheka.faces.console.staff.lists import PEOPLE, state_of
from sheka.faces.console.staff.verbs import VERBS
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Refused
from sheka.office.staff.actions.appoint_staff import appoint_staff
from sheka.office.staff.actions.grant_role import end_grant
from sheka.office.staff.actions.read_sign_ins import read_sign_ins
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import accounts_beside, colleague, devices_of, grant_with, grants_of
from sheka.office.staff.sessions import running


@opens(Permission.STAFF_VIEW)
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Everybody of the reader's organisations."""
    return show_list(request, PEOPLE, "console/staff/people.html", manages=request.actor.may(Permission.STAFF_MANAGE))


@opens(Permission.STAFF_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def appoint(request: HttpRequest) -> HttpResponse:
    """A new account, without role or password."""
    actor = request.actor
    form, problem = AppointForm(request.POST if request.method == "POST" else None, actor=actor, staff=None), None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            staff = appoint_staff(
                actor,
                login=given["login"],
                name=given["name"],
                person_id=given["person"],
                organisation_code=given["organisation"],
            )
        except Refused as refusal:
            problem = told(refusal)
        else:
            messages.success(request, _("Appointed. Next: an enrolment code, and a role."), extra_tags="good")
            return redirect("console:staff_person", staff.login)
    return render(
        request, "console/staff/appoint.html", {"form": form, "problem": problem}, status=_status(form, problem)
    )


@opens(Permission.STAFF_VIEW)
@require_safe
def person(request: HttpRequest, login: str) -> HttpResponse:
    """One account: where, with which roles, how it is guarded, what can be done."""
    actor, staff = request.actor, colleague(request.actor, login)
    manages = actor.may(Permission.STAFF_MANAGE) and actor.staff_id != staff.pk
    today = timezone.localdate()
    grants = [(grant, grant.valid_from <= today < grant.valid_to, grant.valid_to > today) for grant in grants_of(staff)]
    context = {
        "staff": staff,
        "state": state_of(staff),
        "grants": grants,
        "devices": devices_of(staff),
        "sessions": running(staff).count(),
        "beside": accounts_beside(staff),
        "manages": manages,
        "verbs": [(name, verb) for name, verb in VERBS.items() if manages and verb.offered(staff)],
        "purpose": PurposeForm(actor=actor, staff=staff),
    }
    return render(request, "console/staff/person.html", context)


@opens(Permission.STAFF_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def verb(request: HttpRequest, login: str, verb: str) -> HttpResponse:
    """Ask for what the verb needs, then carry it out. A refusal is told beside what was typed."""
    if verb not in VERBS:
        raise Http404
    actor, what, staff = request.actor, VERBS[verb], colleague(request.actor, login)
    form, problem = what.form(request.POST if request.method == "POST" else None, actor=actor, staff=staff), None
    if request.method == "POST" and form.is_valid():
        if what.digest:
            page = confirm(request, what.digest(staff, form.cleaned_data), f"{what.title}: {staff.name}")
            if page is not None:
                return page
        try:
            answer = what.act(actor, staff, form.cleaned_data)
        except Refused as refusal:
            problem = told(refusal)
        else:
            if isinstance(answer, str):
                return render(request, "console/staff/code.html", {"staff": staff, "code": answer})
            messages.success(request, _("Done: %(verb)s") % {"verb": what.title}, extra_tags="good")
            return redirect("console:staff_person", login)
    context = {"form": form, "problem": problem, "staff": staff, "what": what}
    return render(request, "console/staff/verb.html", context, status=_status(form, problem))


@opens(Permission.STAFF_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, login: str, number: int) -> HttpResponse:
    """End one grant."""
    actor, staff = request.actor, colleague(request.actor, login)
    grant = grant_with(actor, staff, number)
    form, problem = WhyForm(request.POST if request.method == "POST" else None, actor=actor, staff=staff), None
    if request.method == "POST" and form.is_valid():
        try:
            end_grant(actor, grant=grant, reason=form.cleaned_data["text"])
        except Refused as refusal:
            problem = told(refusal)
        else:
            messages.success(request, _("The role counts no longer, from this moment."), extra_tags="good")
            return redirect("console:staff_person", login)
    context = {"form": form, "problem": problem, "staff": staff, "grant": grant}
    return render(request, "console/staff/end_grant.html", context, status=_status(form, problem))


@opens(Permission.STAFF_VIEW)
@require_http_methods(["POST"])
def sign_ins(request: HttpRequest, login: str) -> HttpResponse:
    """When and from where the person signed in: shown once for a purpose that is recorded."""
    actor, staff = request.actor, colleague(request.actor, login)
    form, problem, rows, sessions = PurposeForm(request.POST, actor=actor, staff=staff), None, [], []
    if form.is_valid():
        rows, sessions = read_sign_ins(actor, staff=staff, purpose=form.cleaned_data["text"])
    context = {
        "staff": staff,
        "form": form,
        "rows": [(row, browser(row.agent)) for row in rows],
        "sessions": [(row, browser(row.agent)) for row in sessions],
    }
    return render(request, "console/staff/sign_ins.html", context, status=_status(form, problem))


def _status(form: AppointForm | WhyForm, problem: object) -> int:
    return 422 if form.errors or problem else 200
