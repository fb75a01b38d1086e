"""The inbox of approvals: what waits for the reader and why it may wait for somebody else, decided, mine, expired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from sheka.faces.console.doors import open_to_staff
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, show_list
from sheka.faces.console.places import labels
from sheka.faces.console.telling import told
from sheka.faces.console.words import REQUEST_WORDS, language
from sheka.office.approvals import queries
from sheka.office.approvals.matters import matters
from sheka.office.approvals.models import Proposal
from sheka.office.staff.actors import Actor


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the four lists, with what it counts."""

    page: str
    word: str | Promise
    count: int
    current: bool


def _link(row: Proposal) -> str:
    return reverse("console:approvals_one", args=[row.pk])


def _kinds(actor: Actor) -> list[tuple[str, str]]:
    return [(matter.kind, matter.title.text(language())) for matter in matters()]


def _complete(rows: list[Any], actor: Actor) -> None:
    """Names of organisations, and for each row why this reader cannot decide it, if so."""
    known = labels({row.origin for row in rows} | {row.turn for row in rows})
    for row in rows:
        row.origin_name = known.get(row.origin, row.origin)
        row.turn_name = known.get(row.turn, row.turn)
        row.refusal = queries.why_not(actor, row)


def _step(row: Proposal) -> str:
    steps = row.way.steps
    return f"{row.step + 1}/{len(steps)} {steps[row.step].title.text(language())}"


def _may(row: Any) -> object:
    return Stamp(_("You can decide"), "good") if row.refusal is None else told(row.refusal).text


_TITLE = Column("title", _("Matter"), lambda row: row.matter.title.text(language()), sort="kind", link=_link)
_ABOUT = Column("about", pgettext_lazy("approval", "About"), lambda row: row.matter.told_apart(row.payload, language()))
_FROM = Column("from", _("Asked by"), lambda row: row.origin_name, sort="origin")
_STEP = Column("step", _("Step"), _step, sort="step", kind="whole")
_STATE = Column("state", _("State"), lambda row: Stamp(*REQUEST_WORDS[row.state]), sort="state")
_MADE = Column("made", _("Asked on"), lambda row: row.made_at, sort="made_at", kind="whole")
_DUE = Column("due", pgettext_lazy("approval", "Due"), lambda row: row.due_at, sort="due_at", kind="whole")
_TURN = Column("turn", _("Whose turn"), lambda row: row.turn_name, sort="turn")
_KIND = Select("kind", _("Matter"), _kinds, "kind")


def _listing(name: str, rows: Callable[[Actor], Any], columns: list[Column], sort: str, empty: Any) -> Listing:
    return Listing(
        name=f"approvals_{name}",
        title=_("Approvals"),
        rows=lambda actor: rows(actor).prefetch_related("versions", "decisions").select_related("assignee"),
        columns=columns,
        filters=[_KIND, Days("made", _("Asked on"), "made_at", moments=True)],
        default_sort=sort,
        gather=_complete,
        empty_title=empty[0],
        empty_text=empty[1],
        size=25,
    )


TO_DECIDE = _listing(
    "to_decide",
    queries.to_decide,
    [_TITLE, _ABOUT, _FROM, _STEP, _DUE, Column("may", _("Can you decide it?"), _may)],
    "due",
    (_("Nothing waits for a decision"), _("A request appears here when it is the turn of a right that you hold.")),
)
DECIDED = _listing(
    "decided",
    queries.decided_by,
    [_TITLE, _ABOUT, _FROM, _MADE, _STATE, _TURN],
    "-made",
    (_("You have decided nothing yet"), _("What you decide stays here, with how it ended.")),
)
MINE = _listing(
    "mine",
    queries.made_by,
    [_TITLE, _ABOUT, _MADE, _STEP, _STATE, _TURN, _DUE],
    "-made",
    (_("You have asked for nothing"), _("Requests that you make or edit stay here, with where they are now.")),
)
EXPIRED = _listing(
    "expired",
    queries.expired_for,
    [_TITLE, _ABOUT, _FROM, _MADE, _STEP, Column("ended", _("Expired on"), lambda row: row.ended_at, sort="ended_at")],
    "-ended",
    (_("Nothing has expired"), _("A request that nobody decided or completed in time ends here.")),
)


@open_to_staff
@require_safe
def to_be_decided(request: HttpRequest) -> HttpResponse:
    """What waits at the reader's organisation for a right that the reader holds or was lent."""
    return _show(request, TO_DECIDE)


@open_to_staff
@require_safe
def decided(request: HttpRequest) -> HttpResponse:
    """What the reader decided."""
    return _show(request, DECIDED)


@open_to_staff
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """What the reader asked for."""
    return _show(request, MINE)


@open_to_staff
@require_safe
def expired(request: HttpRequest) -> HttpResponse:
    """What nobody decided in time."""
    return _show(request, EXPIRED)


def tabs(actor: Actor, page: str) -> list[Tab]:
    """The four lists with how much each holds."""
    return [
        Tab(name, word, rows(actor).count(), name == page)
        for name, word, rows in (
            ("console:approvals", _("To be decided"), queries.to_decide),
            ("console:approvals_decided", _("Decided by me"), queries.decided_by),
            ("console:approvals_mine", _("Asked by me"), queries.made_by),
            ("console:approvals_expired", _("Expired"), queries.expired_for),
        )
    ]


def _show(request: HttpRequest, listing: Listing) -> HttpResponse:
    page = request.resolver_match.view_name
    return show_list(request, listing, "console/approvals/inbox.html", tabs=tabs(request.actor, page))
