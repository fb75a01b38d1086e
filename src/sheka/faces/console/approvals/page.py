"""What the page of one request knows: the strip of its steps, its lines with what changed, how it went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sheka.faces.console.telling import list_mark
from sheka.faces.console.words import language
from sheka.office.approvals.matters import Line, read_lines
from sheka.office.approvals.models import Decision, Proposal
from sheka.office.approvals.states import RUNNING

GONE = {"withdrawn": "bad", "expired": "bad"}


@dataclass(frozen=True, slots=True)
class StepShown:
    """One step of the strip. `state`: done, now, next, or bad where it ended against the request."""

    number: int
    title: str
    place: str
    people: int
    consents: int
    names: str
    state: str
    confirm: bool

    @property
    def seats(self) -> range:
        return range(self.people)


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of how it went, for the life line."""

    kind: str
    at: datetime | None
    title: str | Promise
    detail: str
    who: str
    due: None = None


def steps_of(proposal: Proposal, places: dict[str, str]) -> list[StepShown]:
    """Every step with who consented to this version, and which is the one in turn."""
    shown = []
    decisions = list(proposal.decisions.all())
    for index, step in enumerate(proposal.way.steps):
        given = [row for row in decisions if row.version == proposal.version and row.step == index]
        consents = [row for row in given if row.verdict == "approve"]
        against = any(row.verdict == "reject" for row in given)
        past = index < proposal.step or proposal.state in ("approved", "done")
        here = index == proposal.step and proposal.state in RUNNING and not past
        against = against or (proposal.state == "returned" and index == proposal.step)
        state = "bad" if against else "done" if past else "now" if here else "next"
        shown.append(
            StepShown(
                number=index + 1,
                title=step.title.text(language()),
                place=places.get(step.organisation, step.organisation),
                people=step.people,
                consents=len(consents),
                names=list_mark().join(row.name for row in consents),
                state=state,
                confirm=step.confirm,
            )
        )
    return shown


def rule_of(steps: list[StepShown], proposal: Proposal) -> str:
    """Where it stands in one sentence: "Step 2 of 3: Review, Ministry, 2 people; 1 has approved"."""
    now = steps[proposal.step]
    people = ngettext("%(n)s person", "%(n)s people", now.people) % {"n": now.people}
    return _("Step %(number)s of %(all)s: %(title)s, %(place)s, %(people)s; approved by %(consents)s so far") % {
        "number": now.number,
        "all": len(steps),
        "title": now.title,
        "place": now.place,
        "people": people,
        "consents": now.consents,
    }


def lines_of(proposal: Proposal) -> list[Line]:
    """The frozen request as it reads, with what stood in the version before."""
    versions = list(proposal.versions.all())
    before = versions[-2].payload if len(versions) > 1 else None
    return read_lines(proposal.matter, proposal.payload, before, language())


def moments_of(proposal: Proposal, places: dict[str, str]) -> list[Moment]:
    """What happened, in its order: every version, every decision with its reason, the end; then what comes."""
    home = places.get(proposal.origin, proposal.origin)
    found = []
    for version in proposal.versions.all():
        title = _("Asked for") if version.number == 1 else _("Completed: version %(n)s") % {"n": version.number}
        found.append((version.made_at, Moment("done", version.made_at, title, version.note, f"{home} {version.name}")))
    for row in proposal.decisions.all():
        kind = "done" if row.verdict == "approve" else "bad"
        moment = Moment(kind, row.decided_at, _told(row, proposal), row.reason, _who(row, places))
        found.append((row.decided_at, moment))
    shown = [moment for _at, moment in sorted(found, key=lambda pair: pair[0])]
    if proposal.state in GONE and proposal.ended_at:
        title = _("Withdrawn by its author") if proposal.state == "withdrawn" else _("Expired: nobody acted in time")
        shown.append(Moment("bad", proposal.ended_at, title, "", ""))
    if proposal.state in RUNNING:
        shown.append(Moment("now", None, _next(proposal), "", places.get(proposal.turn, proposal.turn)))
    return shown


def _next(proposal: Proposal) -> str:
    if proposal.state == "returned":
        return _("Waits to be completed")
    if proposal.state == "approved":
        return _("Approved, waits to be carried out")
    return _("Waits for: %(step)s") % {"step": proposal.step_now.title.text(language())}


def _told(row: Decision, proposal: Proposal) -> str:
    step = proposal.way.steps[row.step].title.text(language())
    told = {
        "approve": _("%(step)s: approved"),
        "supplement": _("%(step)s: returned for completion"),
        "reject": _("%(step)s: rejected"),
    }[row.verdict] % {"step": step}
    void = row.version != proposal.version
    return _("%(what)s (version %(n)s, void)") % {"what": told, "n": row.version} if void else told


def _who(row: Decision, places: dict[str, str]) -> str:
    place = places.get(row.place, row.place)
    if row.lender_name:
        return _("%(place)s %(name)s in the right of %(lender)s") % {
            "place": place,
            "name": row.name,
            "lender": row.lender_name,
        }
    return f"{place} {row.name}"
