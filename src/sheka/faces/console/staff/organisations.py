"""Organisations: the tree, one of them with its people, and adding one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.filters import Rows
from sheka.faces.console.list_cells import Stamp
from sheka.faces.console.lists import Column, Listing, Select, Text, show_list
from sheka.faces.console.staff.organisation_forms import KINDS, AddForm, CloseForm, MoveForm, NamesForm
from sheka.faces.console.telling import told
from sheka.faces.console.words import language
from sheka.foundation.refusals import Refused
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.organisations.actions.close_organisation import close_organisation
from sheka.office.organisations.actions.move_organisation import move_organisation
from sheka.office.organisations.actions.rename_organisation import rename_organisation
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import organisation, organisations_below
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import people_of

STATES = [("open", gettext_lazy("At work")), ("closed", gettext_lazy("Not at work"))]


def state_of(place: Organisation) -> Stamp:
    """Working today, not yet, or closed."""
    today = timezone.localdate()
    if place.valid_from > today:
        return Stamp(_("Not yet"), "wait")
    if place.valid_to and place.valid_to <= today:
        return Stamp(_("Closed"), "still")
    return Stamp(_("At work"), "good")


def _by_state(rows: Rows, value: str, actor: Actor) -> Rows:
    working = Organisation.in_force(timezone.localdate())
    return rows.filter(working) if value == "open" else rows.exclude(working)


ORGANISATIONS = Listing(
    name="organisations",
    title=gettext_lazy("Organisations"),
    columns=[
        Column("name", gettext_lazy("Organisation"), lambda row: row.label(language()), sort="path",
               link=lambda row: reverse("console:staff_organisation", args=[row.code])),
        Column("code", gettext_lazy("Organisation code"), lambda row: row.code, sort="code", kind="number"),
        Column("kind", gettext_lazy("Kind"), lambda row: KINDS[row.kind], sort="kind"),
        Column("parent", gettext_lazy("Superior"), lambda row: row.parent.label(language()) if row.parent else None),
        Column("from", gettext_lazy("From"), lambda row: row.valid_from, sort="valid_from", kind="whole"),
        Column("until", gettext_lazy("Until"), lambda row: row.valid_to, sort="valid_to", kind="whole"),
        Column("state", gettext_lazy("State"), state_of),
    ],
    filters=[
        Text("text", gettext_lazy("Name or code"), ("name", "name_en", "code")),
        Select("kind", gettext_lazy("Kind"), list(KINDS.items()), "kind", all=gettext_lazy("All kinds")),
        Select("state", gettext_lazy("State"), STATES, narrow=_by_state, all=gettext_lazy("All states")),
    ],
    rows=lambda actor: organisations_below(actor).select_related("parent"),
    default_sort="name",
    empty_title=gettext_lazy("No organisation found"),
    empty_text=gettext_lazy("Your organisation and those below it appear here."),
)  # fmt: skip


@opens(Permission.ORGANISATION_VIEW)
@require_safe
def organisations(request: HttpRequest) -> HttpResponse:
    """The reader's organisation and all below it, in the order of the tree."""
    manages = request.actor.may(Permission.ORGANISATION_MANAGE)
    return show_list(request, ORGANISATIONS, "console/staff/organisations.html", manages=manages)


@opens(Permission.ORGANISATION_VIEW)
@require_safe
def one(request: HttpRequest, code: str) -> HttpResponse:
    """One organisation: its place in the tree, what lies below it, how many people."""
    actor, place = request.actor, organisation(code)
    actor.must_act_for(place)
    above = [row for row in organisations_below(actor) if place.path.startswith(row.path + ".")]
    context = {
        "place": place,
        "kind": KINDS[place.kind],
        "state": state_of(place),
        "above": sorted(above, key=lambda row: len(row.path)),
        "below": [(row, KINDS[row.kind], state_of(row)) for row in organisations_below(actor).filter(parent=place)],
        "verbs": verbs_of(actor, place),
        "people": people_of(actor).filter(organisation=place, is_active=True).count(),
    }
    return render(request, "console/staff/organisation.html", context)


@dataclass(frozen=True, slots=True)
class Verb:
    """What is done to an organisation: the form asks, `act(actor, code, given)` does it; `gone` says what it means."""

    title: str | Promise
    form: type[MoveForm | CloseForm | NamesForm]
    act: Callable[..., Organisation]
    gone: str | Promise = ""
    danger: bool = False


VERBS = {
    "rename": Verb(gettext_lazy("Change the names"), NamesForm, rename_organisation),
    "move": Verb(
        gettext_lazy("Move"),
        MoveForm,
        move_organisation,
        gettext_lazy("Everything below it, its people and its rows go with it; its code stays."),
    ),
    "close": Verb(
        gettext_lazy("Close the organisation"),
        CloseForm,
        close_organisation,
        gettext_lazy("From that day it neither acts nor takes people. Its rows stay."),
        danger=True,
    ),
}


def verbs_of(actor: Actor, place: Organisation) -> list[tuple[str | Promise, str, str]]:
    """Title, address and kind of the buttons that this reader has for this organisation."""
    if not actor.may(Permission.ORGANISATION_MANAGE) or state_of(place).tone == "still":
        return []
    add_below = f"{reverse('console:staff_add_organisation')}?{urlencode({'under': place.code})}"
    offered = VERBS if place.path != actor.path else {"rename": VERBS["rename"]}  # its superior moves and closes it
    return [
        (_("Add an organisation below"), add_below, "primary"),
        *(
            (what.title, reverse("console:staff_organisation_verb", args=[place.code, name]), "danger" * what.danger)
            for name, what in offered.items()
        ),
    ]


@opens(Permission.ORGANISATION_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def verb(request: HttpRequest, code: str, verb: str) -> HttpResponse:
    """Ask, then carry it out. A refusal is told beside what was typed."""
    if verb not in VERBS:
        raise Http404
    actor, what, place, problem = request.actor, VERBS[verb], organisation(code), None
    actor.must_act_for(place)
    form = what.form(request.POST if request.method == "POST" else None, actor=actor, place=place)
    if request.method == "POST" and form.is_valid():
        try:
            what.act(actor, code=code, **form.cleaned_data)
        except Refused as refusal:
            problem = told(refusal)
        else:
            messages.success(request, _("Done: %(verb)s") % {"verb": what.title}, extra_tags="good")
            return redirect("console:staff_organisation", code)
    context = {
        "form": form,
        "problem": problem,
        "place": place,
        "title": what.title,
        "gone": what.gone,
        "danger": what.danger,
        "back": reverse("console:staff_organisation", args=[code]),
    }
    status = 422 if form.errors or problem else 200
    return render(request, "console/staff/organisation_verb.html", context, status=status)


@opens(Permission.ORGANISATION_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """A new organisation below one of the reader's."""
    actor, problem = request.actor, None
    form = AddForm(request.POST if request.method == "POST" else None, actor=actor, under=request.GET.get("under", ""))
    if request.method == "POST" and form.is_valid():
        try:
            added = add_organisation(actor, **form.cleaned_data)
        except Refused as refusal:
            problem = told(refusal)
        else:
            messages.success(request, _("The organisation is added."), extra_tags="good")
            return redirect("console:staff_organisation", added.code)
    status = 422 if form.errors or problem else 200
    context = {
        "form": form,
        "problem": problem,
        "title": _("Add an organisation"),
        "back": reverse("console:staff_organisations"),
    }
    return render(request, "console/staff/organisation_verb.html", context, status=status)
