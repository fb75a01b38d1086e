"""What a check says, and how the checks of a node are taken together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sheka.foundation.terms import Term

GOOD, WAIT, STOP, STILL = "good", "wait", "stop", "still"
"""The states, as the tones of the seals: in order · watch · act now · not in use."""
WORDS = {
    GOOD: Term("正常", "In order"),
    WAIT: Term("关注", "Watch"),
    STOP: Term("故障", "Act now"),
    STILL: Term("未启用", "Not in use"),
}
BROKEN = Term("检查未能完成，请查看本进程日志。", "The check did not come to its end: see the log of this process.")
NOTHING = Term("", "")
log = logging.getLogger("sheka.health")


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the node. `todo` is empty when there is nothing to do; `since`: when this state began, if known."""

    name: str
    title: Term
    state: str
    text: Term
    todo: Term = NOTHING
    since: datetime | None = None

    @property
    def word(self) -> Term:
        return WORDS[self.state]


Checker = Callable[[], Iterable[Check]]
_declared: list[tuple[str, Term, Checker]] = []


def checks(name: str, title: Term) -> Callable[[Checker], Checker]:
    """Declare a check of a system, in its module `health`, found when the node starts. It sees the whole node."""

    def register(checker: Checker) -> Checker:
        if name in {known for known, _title, _checker in _declared}:
            raise ValueError(f"the check {name} is declared already")
        _declared.append((name, title, checker))
        return checker

    return register


def declared() -> list[tuple[str, Term, Checker]]:
    """The checks that systems declared."""
    return list(_declared)


def taken(checkers: Iterable[tuple[str, Term, Checker]]) -> list[Check]:
    """Run them all: one that breaks is a finding of its own and keeps no other from being told."""
    found: list[Check] = []
    for name, title, checker in checkers:
        try:
            found.extend(checker())
        except Exception:
            log.exception("the check %s broke", name)
            found.append(Check(name, title, STOP, BROKEN))
    return found


def worst(checks: Iterable[Check]) -> str:
    """The state of the whole."""
    states = {check.state for check in checks}
    return next((state for state in (STOP, WAIT) if state in states), GOOD)
