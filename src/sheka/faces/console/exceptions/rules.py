"""The automatic rules with their sources and switches, and the log of what they did and why (S10)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.exceptions.forms import TextForm
from sheka.faces.console.exceptions.words import facts_in_words, said
from sheka.faces.console.filters import Days
from sheka.faces.console.list_cells import Stamp
from sheka.faces.console.lists import Column, Listing, Select, Text, show_list
from sheka.faces.console.telling import Told, list_mark, told
from sheka.foundation.refusals import Refused
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.actions.judge_case import switch_rule
from sheka.systems.exceptions.labels import REASONS
from sheka.systems.exceptions.policy import policy, rule_named
from sheka.systems.exceptions.queries import rule_uses_of, rules_at
from sheka.systems.exceptions.states import STATE_WORDS

EFFECTS = {
    "close": (gettext_lazy("Closes"), "good"),
    "resolve": (gettext_lazy("Resolves by the entry"), "good"),
    "suggest": (gettext_lazy("Suggests"), "info"),
}


LOG = Listing(
    name="exception-rules",
    title=gettext_lazy("Log of the automatic rules"),
    lede=gettext_lazy("Each application: which rule and version, on which facts, with which result."),
    rows=rule_uses_of,
    columns=[
        Column("at", gettext_lazy("Time"), lambda row: row.at, sort="at", kind="whole"),
        Column("rule", gettext_lazy("Rule"), lambda row: f"{row.rule} v{row.version}", sort="rule", kind="number"),
        Column(
            "case",
            gettext_lazy("Case"),
            lambda row: row.case.number,
            sort="case__number",
            kind="number",
            link=lambda row: reverse("console:exceptions_one", args=[row.case.number]),
        ),
        Column("effect", gettext_lazy("Effect"), lambda row: Stamp(*EFFECTS[row.effect]), sort="effect"),
        Column("facts", gettext_lazy("Facts"), facts_in_words, kind="number"),
        Column("result", gettext_lazy("Result"), lambda row: said(STATE_WORDS[row.result]), sort="result"),
    ],
    filters=[
        Select(
            "effect",
            gettext_lazy("Effect"),
            lambda actor: [(name, word) for name, (word, _tone) in EFFECTS.items()],
            "effect",
        ),
        Text("rule", gettext_lazy("Rule"), ("rule",), "startswith"),
        Days("at", gettext_lazy("Time"), "at", moments=True),
    ],
    default_sort="-at",
    empty_title=gettext_lazy("No rule was applied yet"),
    empty_text=gettext_lazy("What the rules close, resolve or suggest stands here, with its reasons."),
)


@opens(Permission.EXCEPTION_VIEW)
@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """Every rule of the policy, and whether it is on here."""
    return _page(request)


@opens(Permission.EXCEPTION_VIEW)
@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """What the rules did."""
    return show_list(request, LOG)


@opens(Permission.EXCEPTION_DECIDE)
@require_POST
def switch(request: HttpRequest, rule: str) -> HttpResponse:
    """Switch a rule off or on here, with the reason."""
    on = request.POST.get("on") == "1"
    form = TextForm(request.POST, prefix=rule)
    if not form.is_valid():
        return _page(request, returned={rule: form}, status=422)
    try:
        switch_rule(request.actor, rule=rule, on=on, reason=form.cleaned_data["text"])
    except Refused as refusal:
        return _page(request, problem=told(refusal), status=refusal.http)
    known = rule_named(rule)
    text = _("Switched on: %(rule)s") if on else _("Switched off: %(rule)s")
    messages.success(request, text % {"rule": said(known.title) if known else rule}, extra_tags="good")
    return redirect("console:exceptions_rules")


def _page(
    request: HttpRequest,
    *,
    problem: Told | None = None,
    returned: dict[str, TextForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    may = request.actor.may(Permission.EXCEPTION_DECIDE)
    rows = [
        {
            "rule": rule,
            "title": said(rule.title),
            "reasons": list_mark().join(said(REASONS[reason]) for reason in rule.reasons),
            "effect": Stamp(*EFFECTS[rule.effect]),
            "on": on,
            "last": last,
            "form": (returned or {}).get(rule.name) or TextForm(prefix=rule.name),
        }
        for rule, on, last in rules_at(request.actor.organisation)
    ]
    context = {"rows": rows, "may": may, "problem": problem, "days": _days(), "policy": policy()}
    return render(request, "console/exceptions/rules.html", context, status=status)


def _days() -> list[tuple[str, int]]:
    return [(said(REASONS[reason]), days) for reason, days in policy().days.items()]
