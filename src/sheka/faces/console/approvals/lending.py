"""My rights to decide, lent to colleagues for a time, and theirs lent to me."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sheka.faces.console.approvals.forms import LendForm
from sheka.faces.console.approvals.inbox import tabs
from sheka.faces.console.doors import open_to_staff
from sheka.faces.console.telling import told
from sheka.faces.console.words import language
from sheka.foundation.refusals import Refused
from sheka.office.approvals.actions.lend import LONGEST, end_lending, lend
from sheka.office.approvals.queries import colleagues_of, in_force, lendings_of, rights_to_lend
from sheka.office.approvals.routes import right_title
from sheka.office.staff.permissions import Permission


@open_to_staff
@require_http_methods(["GET", "HEAD", "POST"])
def lending(request: HttpRequest) -> HttpResponse:
    """What is lent, and the form to lend."""
    actor = request.actor
    rights = [(right.value, right_title(right).text(language())) for right in rights_to_lend(actor)]
    people = [(staff.pk, staff.name) for staff in colleagues_of(actor)]
    today = timezone.localdate()
    first = {"valid_from": today, "valid_to": today + timedelta(days=7)}
    form = LendForm(request.POST or None, rights=rights, people=people, initial=first) if rights else None
    problem, status = None, 200
    if form is not None and request.method == "POST" and form.is_valid():
        wanted = {**form.cleaned_data, "permission": Permission(form.cleaned_data["permission"])}
        try:
            lend(actor, **wanted)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, _("The right is lent."), extra_tags="good")
            return redirect("console:approvals_lending")
    rows = [
        {
            "lent": lent,
            "right": right_title(lent.permission).text(language()),
            "mine": lent.lender_id == actor.staff_id,
            "counts": in_force(lent),
            "to_come": lent.ended_at is None and lent.valid_from > today,
        }
        for lent in lendings_of(actor)[:100]
    ]
    context = {"form": form, "problem": problem, "rows": rows, "days": LONGEST.days, "tabs": tabs(actor, "")}
    return render(request, "console/approvals/lending.html", context, status=status)


@open_to_staff
@require_POST
def end(request: HttpRequest, key: int) -> HttpResponse:
    """Take a right back, or give a borrowed one back."""
    end_lending(request.actor, delegation_id=key)
    messages.success(request, _("The lending has ended."), extra_tags="good")
    return redirect("console:approvals_lending")
