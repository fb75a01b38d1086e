"""The global search (issue 3): one box for names, pinyin, numbers and scanned receipts, over what systems declare.

    finder("people", Term("人员与卡片", "People and cards"), find_people, needs=(Permission.CARD_VIEW,))

A finder gets the actor and what was asked, and answers what that actor may see; row-level security holds beneath it.
Names are found by `search_terms`, which the actions that write a name keep with `keep_name`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import transaction

from sheka.foundation.terms import Term
from sheka.office.audit.reads import read_recorded
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.kinds import Address
from sheka.office.work.models import SearchTerm
from sheka.office.work.names import folded, search_terms

LONGEST = 200
MOST = 20
LAST = "\U0010ffff"
"""Behind every beginning, in the order of bytes."""
_NUMBER = re.compile(r"(?=.*\d)[0-9A-Za-z-]{3,40}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed or scanned: as it is, and as names are compared."""

    text: str
    folded: str

    @classmethod
    def of(cls, text: str) -> Asked:
        """A scanned address stands for its last part: the code or number that the receipt carries."""
        plain = text.replace("\0", "").strip()[:LONGEST]
        if "://" in plain:
            plain = re.split(r"[/?#=]", plain.rstrip("/"))[-1]
        return cls(plain, folded(plain))

    @property
    def is_number(self) -> bool:
        """Whether it may be a number of something."""
        return _NUMBER.fullmatch(self.text) is not None

    @property
    def is_name(self) -> bool:
        """Whether it may begin a name: one character of Chinese is enough, of letters it takes two."""
        enough = 2 if self.folded.isascii() else 1
        return len(self.folded) >= enough and not self.folded[0].isdigit()

    @property
    def sort(self) -> str:
        """What the audit row says that was looked for; never the words themselves."""
        return "number" if self.is_number else "pinyin" if self.folded.isascii() else "name"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing found. `number` identifies it; `exact`: its whole number was asked for."""

    name: str | Term
    number: str = ""
    note: Term | str = ""
    state: object = ""
    tone: str = "still"
    address: Address | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What one finder found; `more`: it stopped at MOST."""

    title: Term
    found: list[Found]
    more: bool


Find = Callable[[Actor, Asked], list[Found]]


@dataclass(frozen=True, slots=True)
class Finder:
    name: str
    title: Term
    find: Find
    needs: tuple[Permission, ...]


_finders: dict[str, Finder] = {}


def finder(name: str, title: Term, find: Find, *, needs: tuple[Permission, ...]) -> None:
    """Declare what can be found, in an app's module `work`. Without one of `needs` nothing is looked for.

    `find` answers at most MOST + 1. Raises ValueError for a name that is taken.
    """
    if name in _finders:
        raise ValueError(f"{name} is found already")
    _finders[name] = Finder(name, title, find, needs)


def search(actor: Actor, text: str) -> list[Group]:
    """What the actor may see of what `text` names, by kind; on record with its counts, without the words."""
    asked = Asked.of(text)
    groups = []
    counted = {}
    with transaction.atomic():
        for one in _finders.values():
            if asked.text and any(map(actor.may, one.needs)):
                found = one.find(actor, asked)
                counted[one.name] = len(found)
                if found:
                    groups.append(Group(one.title, found[:MOST], len(found) > MOST))
        read_recorded(actor, "search.searched", "search", by=asked.sort, found=counted)
    return groups


def named_like(kind: str, asked: Asked, most: int = MOST + 1) -> list[str]:
    """The keys of the things of a kind whose name, pinyin or initials begin with what was asked, nearest first.

    Plain comparisons of the term: PostgreSQL uses an index below row-level security only for what gives nothing away.
    """
    if not asked.is_name:
        return []
    rows = SearchTerm.objects.filter(kind=kind, term__gte=asked.folded, term__lt=asked.folded + LAST)
    keys = rows.order_by("term", "pk").values_list("key", flat=True)[: most * 3]
    return list(dict.fromkeys(keys))[:most]


def keep_name(kind: str, key: object, organisation: str, name: str) -> None:
    """The thing is called so from now on: called by the action that names it, in its transaction."""
    terms = search_terms(name)
    SearchTerm.objects.filter(kind=kind, key=str(key)).exclude(term__in=terms).delete()
    keep_names(kind, [(key, organisation, name)])


def move_names(kind: str, key: object, organisation: str) -> None:
    """The thing belongs to another organisation from now on; both are in the scope of the caller."""
    SearchTerm.objects.filter(kind=kind, key=str(key)).update(organisation_id=organisation)


def keep_names(kind: str, rows: Iterable[tuple[object, str, str]]) -> None:
    """The same for many new things: key, organisation and name of each."""
    SearchTerm.objects.bulk_create(
        (
            SearchTerm(kind=kind, key=str(key), organisation_id=organisation, term=term)
            for key, organisation, name in rows
            for term in search_terms(name)
        ),
        batch_size=2000,
        ignore_conflicts=True,
    )
