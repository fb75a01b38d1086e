"""The states of an imported holiday notice."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

NOTICE = StateTable(
    "holiday notice",
    "proposed",
    [
        Transition("proposed", "publish", "in_force", "another person with calendar.manage"),
        Transition("proposed", "reject", "rejected", "another person with calendar.manage"),
        Transition("proposed", "withdraw", "withdrawn", "who proposed it"),
    ],
)
