"""The own account: devices, sessions, sign-ins, password; and how long the session still lasts."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sheka.faces.console.account.forms import ChangePasswordForm, LabelForm
from sheka.faces.console.account.words import FACTORS, OUTCOMES, browser
from sheka.faces.console.doors import open_to_staff, polled
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, show_list
from sheka.faces.console.telling import told
from sheka.faces.console.visits import keep_signed_in, visit_of
from sheka.foundation.refusals import Refused
from sheka.office.staff.actions.own_account import change_password
from sheka.office.staff.actions.start_again import end_own_session
from sheka.office.staff.queries import devices_of, own_sign_ins, recovery_codes_left, roles_of
from sheka.office.staff.rules import minutes, rules
from sheka.office.staff.sessions import ends_at, running

SIGN_INS = Listing(
    name="own_sign_ins",
    title=gettext_lazy("My sign-ins"),
    lede=gettext_lazy("A sign-in that was not yours: tell your security administrator at once."),
    columns=[
        Column("at", gettext_lazy("Time"), lambda row: row.at, sort="at", kind="whole"),
        Column("outcome", gettext_lazy("Outcome"), lambda row: Stamp(*OUTCOMES[row.outcome]), sort="outcome"),
        Column("factor", gettext_lazy("Factor"), lambda row: FACTORS[row.factor], sort="factor"),
        Column("address", gettext_lazy("Address"), lambda row: row.address, kind="number"),
        Column("browser", gettext_lazy("Browser"), lambda row: browser(row.agent)),
    ],
    filters=[
        Select("outcome", gettext_lazy("Outcome"), [(one, word) for one, (word, _tone) in OUTCOMES.items()], "outcome"),
        Days("at", gettext_lazy("Time"), "at", moments=True),
    ],
    rows=own_sign_ins,
    default_sort="-at",
    export=False,
    empty_title=gettext_lazy("No sign-ins"),
    empty_text=gettext_lazy("Every try to sign in to your account appears here."),
)


@open_to_staff
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Devices and sessions on one page."""
    staff = request.user
    context = {
        "roles": roles_of(staff),
        "devices": devices_of(staff),
        "codes_left": recovery_codes_left(staff),
        "label": LabelForm(),
        "sessions": [(row, browser(row.agent)) for row in running(staff)],
        "here": request.staff_session.pk,
        "idle": minutes(rules().idle),
        "absolute": minutes(rules().absolute) // 60,
    }
    return render(request, "console/account/account.html", context)


@open_to_staff
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Another password; every other session ends."""
    form, problem = ChangePasswordForm(request.POST if request.method == "POST" else None), None
    if request.method == "POST" and form.is_valid():
        current, new = form.cleaned_data["current"], form.cleaned_data["new"]
        try:
            change_password(request.actor, current=current, new=new, visit=visit_of(request))
        except Refused as refusal:
            problem = told(refusal)
        else:
            keep_signed_in(request)
            messages.success(request, _("Your password is changed. Your other sessions have ended."), extra_tags="good")
            return redirect("console:account")
    context = {"form": form, "problem": problem, "rules": rules(), "must": request.user.must_change_password}
    return render(request, "console/account/password.html", context, status=401 if problem else 200)


@open_to_staff
@require_safe
def sign_ins(request: HttpRequest) -> HttpResponse:
    """When, from where and how the own account was tried."""
    return show_list(request, SIGN_INS)


@open_to_staff
@require_POST
def end_session(request: HttpRequest, session: UUID) -> HttpResponse:
    """End one of the own sessions; the present one is ended by signing out."""
    end_own_session(request.actor, session=str(session))
    messages.success(request, _("The session has ended."), extra_tags="good")
    return redirect("console:account")


@open_to_staff
@polled
@require_safe
def session(request: HttpRequest) -> JsonResponse:
    """How many seconds are left; asking does not keep the session alive."""
    return _left(request)


@open_to_staff
@require_POST
def stay(request: HttpRequest) -> JsonResponse:
    """The reader wants to stay: the idle time begins again."""
    return _left(request)


def _left(request: HttpRequest) -> JsonResponse:
    found = request.staff_session
    oldest = found.started_at + rules().absolute
    left = (ends_at(found) - timezone.now()).total_seconds()
    return JsonResponse({"left": max(0, int(left)), "last": ends_at(found) == oldest})
