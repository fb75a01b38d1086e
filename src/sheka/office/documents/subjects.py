"""What documents are kept with: systems register how a subject is found, and so who may see its documents.

    @subject("exchange", Term("换卡", "Exchange"), rights=(Permission.CARD_VIEW,))
    def exchange(actor, name):
        return exchange_named(actor, name).outlet_id

A subject is a word, a colon and a number or code of the system ("exchange:H46010020261122000001"), never a person's
number. The function raises the system's own refusal when the actor may not see the thing; `rights` are those of which
the reader needs one, `names` gives the texts of the subjects that somebody may read where the place alone does not
say it. Modules `subjects` of the installed apps are read at the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

Find = Callable[[Actor, str], object]
Names = Callable[[Actor], QuerySet[Any, Any]]
F = TypeVar("F", bound=Find)
SUBJECT = re.compile(r"([a-z_]{1,30}):([A-Za-z0-9._-]{1,80})")


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """A sort of thing that documents are about. `page(name)` gives view name and arguments of its page, or None."""

    word: str
    title: Term
    find: Find
    page: Callable[[str], tuple[str, tuple[str, ...]]] | None
    rights: tuple[Permission, ...] = ()
    names: Names | None = None

    def open_to(self, actor: Actor) -> bool:
        """Whether this actor has a right to read things of the sort at all."""
        return not self.rights or any(map(actor.may, self.rights))


_known: dict[str, SubjectKind] = {}


def subject(
    word: str,
    title: Term,
    page: Callable[[str], tuple[str, tuple[str, ...]]] | None = None,
    *,
    rights: tuple[Permission, ...] = (),
    names: Names | None = None,
) -> Callable[[F], F]:
    """Register how `word:<name>` is found."""

    def register(find: F) -> F:
        _known[word] = SubjectKind(word, title, find, page, rights, names)
        return find

    return register


def subject_kinds() -> list[SubjectKind]:
    """Every sort that a system registered."""
    return list(_known.values())


def named(word: str, rows: QuerySet[Any, Any], column: str) -> QuerySet[Any, Any]:
    """The texts of the subjects of these rows, as a query of one column."""
    return rows.order_by().values_list(Concat(Value(f"{word}:"), Cast(column, CharField())), flat=True)


def subject_kind(text: str) -> tuple[SubjectKind, str]:
    """Its kind and its name. Raises Refused(DOCUMENT_SUBJECT)."""
    found = SUBJECT.fullmatch(text)
    if found is None or found[1] not in _known:
        raise Refused(Code.DOCUMENT_SUBJECT, subject=text[:100])
    return _known[found[1]], found[2]


def must_reach(actor: Actor, text: str) -> SubjectKind:
    """The kind of a subject that this actor may see. Raises Refused: DOCUMENT_SUBJECT, or why the system hides it."""
    kind, name = subject_kind(text)
    if not kind.open_to(actor):
        raise Refused(Code.DOCUMENT_SUBJECT, subject=text)
    kind.find(actor, name)
    return kind
