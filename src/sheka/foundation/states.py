"""State tables: for each kind of thing, which verb leads from which state to which (design §2.2).

A table is data: it guards the actions, and it draws itself into the documentation. A verb in the wrong state is a
refusal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sheka.foundation.refusals import Code, Refused


@dataclass(frozen=True, slots=True)
class Transition:
    """`verb` leads from `source` to `target`; `who` names the role that does it."""

    source: str
    verb: str
    target: str
    who: str


class StateTable:
    """The transitions of one kind of thing.

    >>> lamp = StateTable("lamp", "off", [Transition("off", "switch_on", "on", "anyone")])
    >>> lamp.after("off", "switch_on")
    'on'
    """

    def __init__(self, name: str, initial: str, transitions: Iterable[Transition]) -> None:
        self.name = name
        self.initial = initial
        self.transitions = tuple(transitions)
        self._after = {(row.source, row.verb): row.target for row in self.transitions}
        if len(self._after) != len(self.transitions):
            raise ValueError(f"{name}: the same verb leaves one state twice")

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, the initial one first, in order of appearance."""
        seen = dict.fromkeys([self.initial])
        for row in self.transitions:
            seen[row.source] = None
            seen[row.target] = None
        return tuple(seen)

    def verbs(self, state: str) -> tuple[str, ...]:
        """What can be done in this state."""
        return tuple(row.verb for row in self.transitions if row.source == state)

    def after(self, state: str, verb: str) -> str:
        """The state that `verb` leads to.

        Raises Refused(STATE_FORBIDS) when the verb does not start from `state`.
        """
        try:
            return self._after[state, verb]
        except KeyError:
            allowed = ", ".join(row.source for row in self.transitions if row.verb == verb) or "-"
            raise Refused(Code.STATE_FORBIDS, state=state, verb=verb, allowed=allowed) from None

    def mermaid(self) -> str:
        """The table as a Mermaid state diagram, for the documentation."""
        rows = [f"    {row.source} --> {row.target}: {row.verb} ({row.who})" for row in self.transitions]
        return "\n".join(["stateDiagram-v2", f"    [*] --> {self.initial}", *rows])
