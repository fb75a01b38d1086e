"""What the page of one incident shows: clocks, affected things, who above has read it, what can be done and why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sheka.faces.console.incidents.forms import GradeForm, TextForm, ThingForm
from sheka.faces.console.incidents.words import affected_stamp, said, span, thing_word
from sheka.faces.console.list_cells import Stamp
from sheka.faces.console.places import labels
from sheka.faces.console.telling import is_about_permission, list_mark, told, why
from sheka.foundation.refusals import Refused
from sheka.foundation.terms import Term
from sheka.office.incidents.clocks import CLOCKS
from sheka.office.incidents.guards import ABOVE, RULES, open_demands, why_not
from sheka.office.incidents.models import Affected, Entry, FollowUp, Incident, Receipt
from sheka.office.incidents.plans import follow_up_titles
from sheka.office.incidents.states import AFFECTED
from sheka.office.incidents.words import BAD, in_both, line_text, line_title
from sheka.office.staff.actors import Actor

ASKS = {
    "contain": gettext_lazy("What was done so that nothing affected is left running"),
    "find_cause": gettext_lazy("The cause"),
    "handle": gettext_lazy("Measures: what was done, and what keeps it from happening again"),
    "doubt": gettext_lazy("Why it is a false alarm"),
    "note": gettext_lazy("What was found or done"),
    "regrade": gettext_lazy("Why another severity"),
    "close": gettext_lazy("Why it can be closed"),
    "send_back": gettext_lazy("What is missing"),
    "dismiss": gettext_lazy("Why you agree"),
    "uphold": gettext_lazy("Why you do not agree"),
    "reopen": gettext_lazy("Why it is opened again"),
    "demand": gettext_lazy("What is asked for"),
    "answer": gettext_lazy("The answer"),
}
"""Verbs that ask for a text, and its label."""
FIRST = ("contain", "find_cause", "handle", "close", "read", "take")
"""The next step of the way: the one filled button."""
SHOWN = tuple(verb for verb in RULES if verb not in ("freeze", "settle", "release", "answer"))
_OF_A_THING = {"freeze": "freeze", "replace": "settle", "destroy": "settle", "thaw": "release", "waive": "release"}
_THING_WORDS = {
    "freeze": gettext_lazy("Freeze now"),
    "replace": gettext_lazy("Replaced"),
    "destroy": gettext_lazy("Destroyed"),
    "thaw": gettext_lazy("Release"),
    "waive": gettext_lazy("Waive the freeze"),
}


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of the strip. `state`: done, now, next or bad; `told` says it in words."""

    number: int
    title: str
    due: datetime
    told: str
    state: str


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that can be done now, with its form."""

    name: str
    word: str
    ask: str
    form: Any


@dataclass(frozen=True, slots=True)
class Barred:
    """Verbs that cannot be done now for one and the same reason."""

    words: str
    why: str


@dataclass(frozen=True, slots=True)
class Thing:
    """A row of what is affected, and what can be done with it now."""

    row: Affected
    sort: str
    stamp: Stamp
    said: str
    verbs: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reader:
    """An organisation above: whether it arrived, who signed, when it goes further up."""

    place: str
    row: Receipt
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the life line."""

    kind: str
    at: datetime | None
    title: str
    detail: str
    who: str
    due: date | None = None


def clocks_of(incident: Incident) -> list[Clock]:
    """The four clocks; the one that runs out next is in turn."""
    found, now, turn = [], timezone.now(), True
    for number, row in enumerate(incident.deadlines.all(), 1):
        if row.met_at is not None:
            late = row.met_at > row.due_at
            told_so = _("late by %(time)s") % {"time": span(row.met_at - row.due_at)} if late else _("in time")
            state = "bad" if late else "done"
        elif row.due_at <= now:
            told_so, state = _("overdue for %(time)s") % {"time": span(now - row.due_at)}, "bad"
            turn = False
        else:
            told_so, state = _("%(time)s left") % {"time": span(row.due_at - now)}, "now" if turn else "next"
            turn = False
        found.append(Clock(number, said(CLOCKS[row.name]), row.due_at, told_so, state))
    return found


def verbs_of(actor: Actor, incident: Incident, returned: dict[str, Any]) -> tuple[list[Verb], list[Barred]]:
    """What this actor can do now, the next step first; and what not, by its reason. What the role lacks is left out,
    and at the origin what only those above do.

    `returned`: forms that came back with errors, by the verb.
    """
    able, barred = [], dict[str, list[str]]()
    for name in SHOWN:
        rule = RULES[name]
        refusal, word = why_not(actor, incident, name), said(rule.title)
        if refusal is None:
            able.append(Verb(name, word, str(ASKS.get(name, "")), returned.get(name) or form_for(name)))
        elif not is_about_permission(told(refusal).text) and not (rule.by == ABOVE and incident.is_origin):
            barred.setdefault(why(told(refusal).text), []).append(word)
    able.sort(key=lambda verb: FIRST.index(verb.name) if verb.name in FIRST else len(FIRST))
    return able, [Barred(list_mark().join(words), reason) for reason, words in barred.items()]


def form_for(verb: str, data: Any = None) -> Any:
    """The form of a verb; None where the button alone is the answer."""
    if verb == "regrade":
        return GradeForm(data, prefix=verb)
    if verb == "add":
        return ThingForm(data, prefix=verb)
    return TextForm(data, prefix=verb) if verb in ASKS else None


def things_of(actor: Actor, incident: Incident) -> list[Thing]:
    """What is affected, with what this actor can do with each."""
    allowed = {rule: why_not(actor, incident, rule) is None for rule in set(_OF_A_THING.values())}
    found = []
    for row in incident.affected.all():
        verbs = [
            (name, str(_THING_WORDS[name]))
            for name, rule in _OF_A_THING.items()
            if allowed[rule] and name in AFFECTED.verbs(row.state)
        ]
        found.append(Thing(row, thing_word(row.subject), affected_stamp(row), _outcome(row), verbs))
    return found


def follow_ups_of(incident: Incident) -> list[tuple[str, FollowUp, Stamp, str]]:
    """What the plan set going."""
    stamps = {"begun": Stamp(_("Begun"), "good"), "failed": Stamp(_("Failed, tried again by itself"), "stop")}
    titles = follow_up_titles()
    return [
        (
            said(titles[row.name]) if row.name in titles else row.name,
            row,
            stamps[row.state],
            said(in_both(row.answer or row.failure)),
        )
        for row in incident.follow_ups.all()
    ]


def readers_of(incident: Incident, places: dict[str, str]) -> list[Reader]:
    """Every organisation above that was told."""
    found = []
    for row in incident.receipts.all():
        if row.read_at is not None:
            stamp = Stamp(_("Read"), "good")
        elif row.arrived_at is not None:
            stamp = Stamp(_("Arrived, not read"), "wait")
        else:
            stamp = Stamp(_("Sent, not arrived"), "stop")
        found.append(Reader(_name(row.place, places), row, stamp))
    return found


def demands_of(incident: Incident, places: dict[str, str]) -> list[tuple[Entry, str]]:
    """What those above asked for and nobody has answered."""
    return [(entry, _name(entry.place, places)) for entry in open_demands(incident)]


def moments_of(incident: Incident, entries: Iterable[Entry], places: dict[str, str]) -> list[Moment]:
    """The timeline, then the clock that comes next."""
    shown = [
        Moment(
            "bad" if row.verb in BAD else "done",
            row.at,
            said(line_title(row)),
            said(line_text(row, {code: Term(name, name) for code, name in places.items()})),
            who_of(row, places),
        )
        for row in entries
    ]
    for clock in clocks_of(incident):
        if incident.runs and clock.state == "now":
            shown.append(Moment("now", None, clock.title, clock.told, ""))
    return shown


def who_of(row: Entry, places: dict[str, str]) -> str:
    """The organisation and the person; what a process of the node did has no person."""
    place = _name(row.place, places)
    return _("%(place)s, by the system") % {"place": place} if row.by_process else f"{place} {row.name}"


def places_of(incident: Incident, entries: Iterable[Entry]) -> dict[str, str]:
    """The organisations that the page names, by their codes, in the reader's language."""
    codes = {incident.origin, incident.reported_from, *(row.place for row in entries)}
    return labels({*codes, *incident.receipts.values_list("place", flat=True)})


def demand_key(text: str) -> UUID | None:
    """The key of a demand as a form carried it."""
    try:
        return UUID(text)
    except ValueError:
        return None


def refusal_of(actor: Actor, incident: Incident, verb: str) -> Refused | None:
    """Why not, asked before somebody is made to prove presence."""
    return why_not(actor, incident, _OF_A_THING.get(verb, verb))


def _outcome(row: Affected) -> str:
    """What its system said, or why it could not, or what was decided."""
    return " · ".join(filter(None, (said(in_both(row.failure or row.answer)), row.reason)))


def _name(code: str, places: dict[str, str]) -> str:
    return places.get(code, code)


def thing_verb_word(verb: str) -> str:
    """What a verb of an affected thing is called."""
    return str(_THING_WORDS[verb])
