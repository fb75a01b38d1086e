"""The block list: who barred what, since when and why; placed by one person and lifted by another (K8, K9)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.account.confirm import confirm
from sheka.faces.console.doors import opens
from sheka.faces.console.forms import ReasonForm
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text, show_list
from sheka.faces.console.psams.forms import BlockForm
from sheka.faces.console.psams.words import choices, said
from sheka.faces.console.telling import told
from sheka.faces.console.templatetags.look import mixed, named
from sheka.foundation.refusals import Refused
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.actions.blocks import block, lift_digest, unblock
from sheka.systems.transactions.block_subjects import TITLES
from sheka.systems.transactions.models import Block, BlockKind
from sheka.systems.transactions.queries_of_blocks import block_numbered, blocks_in_reach

IN_FORCE, LIFTED = Term("停用中", "in force"), Term("已解除", "lifted")


def _by_force(rows: Any, value: str, actor: Actor) -> Any:
    return rows.filter(lifted_at__isnull=value == "force")


def _address(row: Block) -> str:
    return reverse("console:psams_lift", args=[row.pk])


BLOCKS = Listing(
    name="blocks",
    title=_("Block list"),
    lede=_("The switch refuses what stands here within five seconds. Whoever lifts an entry is not who placed it."),
    rows=blocks_in_reach,
    default_sort="-since",
    columns=[
        Column("number", _("Block no."), lambda row: row.pk, sort="pk", kind="number", link=_address),
        Column("subject", _("What is blocked"), lambda row: row.subject, sort="subject", kind="number"),
        Column("kind", _("What kind it is"), lambda row: said(TITLES[BlockKind(row.kind)]), sort="kind", kind="whole"),
        Column(
            "state",
            _("State"),
            lambda row: Stamp(said(LIFTED), "still") if row.lifted_at else Stamp(said(IN_FORCE), "stop"),
            sort="lifted_at",
        ),
        Column("reason", _("Why it is blocked"), lambda row: mixed(row.reason)),
        Column("since", _("Blocked since"), lambda row: row.since, sort="since", kind="whole"),
        Column("by", _("Blocked by"), lambda row: row.by, sort="by"),
        Column(
            "organisation",
            _("Organisation"),
            lambda row: named(row.organisation),
            sort="organisation__path",
            kind="whole",
        ),
    ],
    filters=[
        Select("force", _("State"), choices({"force": IN_FORCE, "lifted": LIFTED}), narrow=_by_force),
        Select("kind", _("What kind it is"), choices({kind.value: title for kind, title in TITLES.items()}), "kind"),
        Text("subject", _("What is blocked"), ("subject",), "startswith"),
        Days("since", _("Blocked since"), "since"),
    ],
    empty_title=_("Nothing is blocked"),
    empty_text=_("What an incident freezes, or somebody blocks, appears here."),
)


@opens(Permission.BLOCK_VIEW)
@require_safe
def blocks(request: HttpRequest) -> HttpResponse:
    """Everything that was ever barred here and below."""
    may = request.actor.may(Permission.BLOCK_PLACE)
    return show_list(request, BLOCKS, "console/psams/blocks.html", may_place=may)


@opens(Permission.BLOCK_PLACE)
@require_http_methods(["GET", "HEAD", "POST"])
def place(request: HttpRequest) -> HttpResponse:
    """Put something on the list."""
    form, problem, status = BlockForm(request.POST if request.method == "POST" else None), None, 200
    if request.method == "POST" and form.is_valid():
        try:
            made = block(request.actor, **form.cleaned_data)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            news = gettext("Blocked: %(subject)s") % {"subject": made.subject}
            messages.success(request, news, extra_tags="good")
            return redirect("console:psams_blocks")
    context = {"form": form, "problem": problem}
    return render(request, "console/psams/block.html", context, status=422 if form.errors else status)


@opens(Permission.BLOCK_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def lift(request: HttpRequest, number: int) -> HttpResponse:
    """One entry; whoever may lift it proves presence for exactly this one."""
    found, may = block_numbered(request.actor, number), request.actor.may(Permission.BLOCK_LIFT)
    form, problem, status = ReasonForm(request.POST if request.method == "POST" else None), None, 200
    if request.method == "POST" and may and form.is_valid():
        about = gettext("Lift the block of %(subject)s") % {"subject": found.subject}
        page = confirm(request, lift_digest(found), about)
        if page is not None:
            return page
        try:
            unblock(request.actor, number=number, reason=form.cleaned_data["text"])
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            news = gettext("Block lifted: %(subject)s") % {"subject": found.subject}
            messages.success(request, news, extra_tags="good")
            return redirect("console:psams_blocks")
    context = {
        "entry": found,
        "kind": said(TITLES[BlockKind(found.kind)]),
        "form": form,
        "asks": gettext("Why can it be lifted?"),
        "problem": problem,
        "may_lift": may and found.lifted_at is None and not found.source and not found.incident,
    }
    return render(request, "console/psams/lift.html", context, status=422 if form.errors else status)
