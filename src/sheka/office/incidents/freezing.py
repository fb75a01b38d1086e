"""What an incident stops at once, and what it sets going: systems declare both in their modules `incidents` (K9).

    @freezes("carrier")
    class FreezeCarrier:
        @staticmethod
        def freeze(actor, subject, incident):  # "carrier:T460100-7" is told as "T460100-7"
            ...  # the system's own action
            return "Carrier T460100-7 can no longer be read in or handed over."

        @staticmethod
        def thaw(actor, subject, incident): ...

        @staticmethod
        def find(actor, text):  # optional: things by the beginning of a number or a name, at most MOST
            return [Thing("T460100-7", "transmission key card", "safe 2, shelf 4")]

Two functions `freeze` and `thaw` (or `freeze_carrier`, `thaw_carrier`) under the same decorator do as well. `actor` is
the process `incident:<number>` of the organisation that keeps the incident and holds every right there; `incident` is
the number. Each call runs in a savepoint of its own inside the transaction of the report; the text it returns stands on
the incident's page. What it raises makes this freeze a failed one, which is shown and tried again every few minutes:
freezing twice is no error. Thawing something that was not frozen is none either.

    @follows_up("rotation", "key", "carrier")
    def propose_rotation(actor, subject, incident):  # subject is whole here: "key:…" or "carrier:…"
        return "Proposal 12: rotation of …"
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sheka.office.staff.actors import Actor

Freezing = Callable[[Actor, str, str], str]
Finding = Callable[[Actor, str], "Sequence[Thing]"]
T = TypeVar("T", bound=Callable[..., Any])
MOST = 20


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that may be affected, as the report page offers it: its name behind the colon, and two words on it."""

    name: str
    title: str
    note: str = ""


@dataclass(slots=True)
class Freezer:
    """How one kind of thing is stopped and let go again."""

    freeze: Freezing | None = None
    thaw: Freezing | None = None
    find: Finding | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Something that a plan sets going for each affected thing of these kinds; no kinds: for every one."""

    name: str
    run: Freezing
    kinds: frozenset[str] = field(default_factory=frozenset)

    def concerns(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds


_freezers: dict[str, Freezer] = {}
_follow_ups: dict[str, FollowUp] = {}


def freezes(kind: str) -> Callable[[T], T]:
    """Declare how things of this kind are frozen and thawed. Raises ValueError when it is declared already."""

    def register(given: T) -> T:
        found = _freezers.setdefault(kind, Freezer())
        names = ("freeze", "thaw", "find") if inspect.isclass(given) else (given.__name__.partition("_")[0],)
        for name in names:
            verb = getattr(given, name, None) if inspect.isclass(given) else given
            if verb is None and name == "find":
                continue
            if verb is None or name not in ("freeze", "thaw", "find") or getattr(found, name) is not None:
                raise ValueError(f"{kind}: {name} is missing, unknown or declared already")
            setattr(found, name, verb)
        return given

    return register


def follows_up(name: str, *kinds: str) -> Callable[[T], T]:
    """Declare a follow-up that plans may name. Raises ValueError when it is declared already."""

    def register(run: T) -> T:
        if name in _follow_ups:
            raise ValueError(f"the follow-up {name} is declared already")
        _follow_ups[name] = FollowUp(name, run, frozenset(kinds))
        return run

    return register


def freezer_of(kind: str) -> Freezer | None:
    """How things of this kind are stopped; None where no system of this node keeps such things."""
    return _freezers.get(kind)


def freezers() -> dict[str, Freezer]:
    """Every freezer by the kind of thing."""
    return _freezers


def follow_up_named(name: str) -> FollowUp | None:
    """The follow-up of this name; None where no system of this node declares it."""
    return _follow_ups.get(name)


def follow_ups() -> dict[str, FollowUp]:
    """Every follow-up by its name."""
    return _follow_ups
