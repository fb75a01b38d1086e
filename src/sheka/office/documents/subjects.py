"""What documents are kept with: systems register how a subject is found, and so who may see its documents.

    @subject("exchange", Term("换卡", "Exchange"))
    def exchange(actor, name):
        return exchange_named(actor, name).outlet_id

A subject is a word, a colon and a number or code of the system ("exchange:H46010020261122000001"), never a person's
number. The function raises the system's own refusal when the actor may not see the thing; modules `subjects` of the
installed apps are read at the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor

Find = Callable[[Actor, str], object]
F = TypeVar("F", bound=Find)
SUBJECT = re.compile(r"([a-z_]{1,30}):([A-Za-z0-9._-]{1,80})")


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """A sort of thing that documents are about. `page(name)` gives view name and arguments of its page, or None."""

    word: str
    title: Term
    find: Find
    page: Callable[[str], tuple[str, tuple[str, ...]]] | None


_known: dict[str, SubjectKind] = {}


def subject(
    word: str, title: Term, page: Callable[[str], tuple[str, tuple[str, ...]]] | None = None
) -> Callable[[F], F]:
    """Register how `word:<name>` is found."""

    def register(find: F) -> F:
        _known[word] = SubjectKind(word, title, find, page)
        return find

    return register


def subject_kind(text: str) -> tuple[SubjectKind, str]:
    """Its kind and its name. Raises Refused(DOCUMENT_SUBJECT)."""
    found = SUBJECT.fullmatch(text)
    if found is None or found[1] not in _known:
        raise Refused(Code.DOCUMENT_SUBJECT, subject=text[:100])
    return _known[found[1]], found[2]


def must_reach(actor: Actor, text: str) -> SubjectKind:
    """The kind of a subject that this actor may see. Raises Refused: DOCUMENT_SUBJECT, or why the system hides it."""
    kind, name = subject_kind(text)
    kind.find(actor, name)
    return kind
