"""How incidents are written: seals of state and severity, and a clock in words, so that nothing is only red (K9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from sheka.faces.console.list_cells import Stamp
from sheka.faces.console.words import language
from sheka.foundation.terms import Term
from sheka.office.incidents.clocks import CLOCKS
from sheka.office.incidents.models import Affected, Deadline, Incident
from sheka.office.incidents.plans import SEVERITIES, kind_named, rule, things
from sheka.office.incidents.queries import next_deadline
from sheka.office.incidents.states import AFFECTED_WORDS, STATE_WORDS

STATE_TONES = {
    "new": "stop",
    "contained": "wait",
    "cause_found": "wait",
    "handled": "info",
    "closed": "good",
    "false_alarm": "still",
}
SEVERITY_TONES = {1: "stop", 2: "stop", 3: "wait", 4: "info"}
AFFECTED_TONES = {
    "listed": "still",
    "frozen": "info",
    "failed": "stop",
    "thawed": "good",
    "replaced": "good",
    "destroyed": "good",
    "waived": "still",
}
_UNITS = (
    (timedelta(hours=2), 60, Term("{}分钟", "{} min")),
    (timedelta(days=2), 3600, Term("{}小时", "{} h")),
    (timedelta.max, 86400, Term("{}天", "{} d")),
)


def said(term: Term) -> str:
    """A term in the reader's language."""
    return term.text(language())


def kind_word(name: str) -> str:
    return said(kind_named(name).title)


def thing_word(subject: str) -> str:
    """What kind of thing a subject is."""
    sort = subject.partition(":")[0]
    return said(things().get(sort, Term(sort, sort)))


def state_stamp(row: Incident) -> Stamp:
    """The state; a doubt that waits for its second person is said with it."""
    word = said(STATE_WORDS[row.state])
    return Stamp(_("%(state)s, called a false alarm") % {"state": word}, "wait") if row.doubt else Stamp(
        word, STATE_TONES[row.state]
    )  # fmt: skip


def severity_stamp(grade: int, *, short: bool = False) -> Stamp:
    """The grade; `short` without its word in brackets, for a list."""
    word = said(SEVERITIES[grade])
    return Stamp(word.partition("（")[0] if short else word, SEVERITY_TONES[grade])


def affected_stamp(row: Affected) -> Stamp:
    return Stamp(said(AFFECTED_WORDS[row.state]), AFFECTED_TONES[row.state])


def span(length: timedelta) -> str:
    """A length of time as people say it: 90 min, 30 h, 12 d."""
    _most, seconds, word = next(unit for unit in _UNITS if length < unit[0])
    return said(word).format(int(length.total_seconds() // seconds))


def clock_stamp(row: Incident) -> Stamp | None:
    """The clock that runs out next: what it asks for, and how much time is left or gone."""
    clock = next_deadline(row)
    if clock is None:
        return None
    word, now = said(CLOCKS[clock.name]), timezone.now()
    if clock.due_at <= now:
        return Stamp(_("Overdue for %(time)s: %(what)s") % {"time": span(now - clock.due_at), "what": word}, "stop")
    left = _("%(time)s left: %(what)s") % {"time": span(clock.due_at - now), "what": word}
    return Stamp(left, "wait" if near(clock, row.reported_at) else "still")


def near(clock: Deadline, start: datetime) -> bool:
    """Whether most of the time of a clock is gone."""
    whole = (clock.due_at - start).total_seconds()
    return whole > 0 and (timezone.now() - start).total_seconds() * 100 >= whole * rule("warn_share")
