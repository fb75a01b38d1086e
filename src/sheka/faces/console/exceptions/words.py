"""How cases are written: seals of state, deadline and age, so that nothing is only red (S10)."""

from __future__ import annotations

from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sheka.faces.console.list_cells import Stamp
from sheka.faces.console.words import language
from sheka.foundation.terms import Term
from sheka.systems.exceptions.labels import REASONS
from sheka.systems.exceptions.models import ExceptionCase, RuleUse
from sheka.systems.exceptions.policy import rule_named
from sheka.systems.exceptions.states import STATE_WORDS

STATE_TONES = {
    "unknown": "stop",
    "open": "stop",
    "in_hand": "wait",
    "asked": "wait",
    "proposed": "info",
    "resolved": "good",
    "closed": "good",
}


def said(term: Term) -> str:
    """A term in the reader's language."""
    return term.text(language())


def reason_word(case: ExceptionCase) -> str:
    return said(REASONS[case.reason])


def state_stamp(case: ExceptionCase) -> Stamp:
    return Stamp(said(STATE_WORDS[case.state]), STATE_TONES[case.state])


def due_stamp(case: ExceptionCase) -> Stamp | None:
    """How many days are left until the deadline, or gone; nothing for a case that ended."""
    if not case.runs:
        return None
    left = (case.due_on - timezone.localdate()).days
    if left < 0:
        return Stamp(ngettext("%(n)s day overdue", "%(n)s days overdue", -left) % {"n": -left}, "stop")
    if left == 0:
        return Stamp(_("Due today"), "wait")
    word = ngettext("%(n)s day left", "%(n)s days left", left) % {"n": left}
    return Stamp(word, "wait" if left == 1 else "still")


def age_of(case: ExceptionCase) -> str:
    """How long a case has been there: until now, or until it ended."""
    until = timezone.localdate(case.closed_at) if case.closed_at else timezone.localdate()
    days = (until - timezone.localdate(case.opened_at)).days
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def as_day(text: object) -> date | None:
    """A day that stands as text among the facts of a case."""
    try:
        return date.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def facts_in_words(use: RuleUse) -> str:
    """The facts on which a rule was applied, in one line: plain values, and of a row its number or its message type."""
    shown = []
    for name, value in use.facts.items():
        if isinstance(value, dict):
            value = value.get("transaction") or value.get("type")
        if value not in (None, "") and not isinstance(value, list):
            shown.append(f"{name}={value}")
    return " ".join(shown)


def resolution_of(case: ExceptionCase) -> str:
    """How a case ended: what a person wrote, or of a rule its words in the reader's language."""
    use = case.rule_uses.filter(result=case.state).exclude(effect="suggest").first()
    rule = rule_named(use.rule) if use is not None and not case.by_hand else None
    return said(rule.title) if rule is not None and case.resolution.startswith(rule.zh) else case.resolution
