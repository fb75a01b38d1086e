"""Refusals as pages tell them: states and verbs by their words, not by their codes (design §2.3)."""

from __future__ import annotations

import re
from typing import NamedTuple

from django.utils.translation import gettext as _

from sheka.faces.console.acquiring.words import STATES as ACQUIRING_STATES
from sheka.faces.console.acquiring.words import VERBS as ACQUIRING_VERBS
from sheka.faces.console.rights import rights_named
from sheka.faces.console.words import REQUEST_WORDS, WORDS, language
from sheka.foundation.refusals import Code, Refused, sentence
from sheka.foundation.terms import Term
from sheka.office.incidents.states import AFFECTED_WORDS, STATE_WORDS
from sheka.office.incidents.words import LINES
from sheka.systems.cards.labels import EXCHANGE_STATES, STATES, VERBS
from sheka.systems.clearing.states import VERB_WORDS as CLEARING_VERBS
from sheka.systems.custody.labels import STATES as CARRIER_STATES
from sheka.systems.custody.labels import VERBS as CARRIER_VERBS
from sheka.systems.exceptions.labels import EVENTS as CASE_VERBS
from sheka.systems.exceptions.states import STATE_WORDS as CASE_STATES

INCIDENT_STATES = STATE_WORDS | AFFECTED_WORDS


class Told(NamedTuple):
    """A refusal in the reader's language: its number, its sentence, what to do next."""

    number: int
    text: str
    todo: str


def told(refusal: Refused) -> Told:
    """A refusal for a page."""
    if refusal.code is Code.STATE_FORBIDS:
        states = str(refusal.facts["allowed"]).split(", ")
        refusal = _forbidden(
            str(refusal.facts["state"]), str(refusal.facts["verb"]), list_mark().join(map(_state, states))
        )
    if refusal.code is Code.PERMISSION_MISSING:
        refusal = Refused(refusal.code, permission=rights_named(str(refusal.facts["permission"])))
    return Told(refusal.number, refusal.text(language()), refusal.todo(language()))


def why(text: str) -> str:
    """The sentence why an offer is withheld. When it is the state, one sentence for every verb."""
    found = _pattern(Code.STATE_FORBIDS).fullmatch(text)
    return _("Not while the state is: %(state)s") % {"state": _state(found["state"])} if found else text


def is_about_permission(text: str) -> bool:
    """Whether an offer is withheld because the reader's role lacks it, and not because of the card."""
    return _pattern(Code.PERMISSION_MISSING).fullmatch(text) is not None


def list_mark() -> str:
    """What stands between the parts of a list."""
    return "、" if language().startswith("zh") else ", "


def _forbidden(state: str, verb: str, allowed: str) -> Refused:
    return Refused(Code.STATE_FORBIDS, state=_state(state), verb=_verb(verb), allowed=allowed)


def _state(state: str) -> str:
    known_elsewhere = (INCIDENT_STATES, CARRIER_STATES, CASE_STATES, ACQUIRING_STATES)
    other = next((words[state] for words in known_elsewhere if state in words), Term(state, state))
    known = WORDS.get(state) or REQUEST_WORDS.get(state, (other.text(language()),))
    return str(STATES.get(state) or EXCHANGE_STATES.get(state) or known[0])


def _verb(verb: str) -> str:
    other = (
        LINES.get(verb)
        or CARRIER_VERBS.get(verb.removesuffix("_loaded"))
        or CASE_VERBS.get(verb)
        or ACQUIRING_VERBS.get(verb)
        or CLEARING_VERBS.get(verb)
        or Term(verb, verb)
    )
    return str(VERBS.get(verb) or VERBS.get(verb.removesuffix("_unused")) or other.text(language()))


def _pattern(code: Code) -> re.Pattern[str]:
    """What the sentence of a code looks like, its facts as groups."""
    told_in = sentence(code)
    template = told_in.zh if language().startswith("zh") else told_in.en
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile(
        "".join(re.escape(part) if place % 2 == 0 else f"(?P<{part}>.+)" for place, part in enumerate(parts))
    )
