"""The kinds of work that there are: each system declares its own in its module `work` (found when the node starts).

work_kind("exchange.collect", Term("领取新卡", "New card to hand over"),
          address=lambda subject: ("console:exchange", subject.partition(":")[2]),
          todo=Term("办理领取", "Hand over"), tone="info", holders=holders_of_exchanges)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sheka.foundation.terms import Term

Address = tuple[object, ...]
TO_DO = Term("办理", "Open")


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose case it is: the name, and the person number masked in the middle."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class WorkKind:
    """A kind of work item.

    `title` is the step's tag; `address(subject)` the name and arguments of the page where the work is done, None while
    there is none; `todo` the words of its button; `holders(subjects)` the holder of each subject that has one, asked
    for once a page; `tone` as for seals.
    """

    name: str
    title: Term
    address: Callable[[str], Address] | None
    todo: Term
    tone: str
    holders: Callable[[Sequence[str]], dict[str, Holder]] | None


_kinds: dict[str, WorkKind] = {}


def work_kind(
    name: str,
    title: Term,
    *,
    address: Callable[[str], Address] | None = None,
    todo: Term = TO_DO,
    tone: str = "wait",
    holders: Callable[[Sequence[str]], dict[str, Holder]] | None = None,
) -> WorkKind:
    """Declare a kind. Raises ValueError for a name that is taken."""
    if name in _kinds:
        raise ValueError(f"the kind of work {name} is declared already")
    _kinds[name] = WorkKind(name, title, address, todo, tone, holders)
    return _kinds[name]


def kind_named(name: str) -> WorkKind:
    """The kind of this name. Raises LookupError: a system opens only what it declared."""
    return _kinds[name]


def kinds() -> dict[str, WorkKind]:
    """Every kind by its name."""
    return dict(sorted(_kinds.items()))
